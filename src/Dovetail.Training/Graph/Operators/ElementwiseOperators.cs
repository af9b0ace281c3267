using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>An operator of one tensor without state: Relu, Sigmoid, Identity, …</summary>
internal sealed class UnaryOperator(Func<Tensor, Tensor> apply) : IGraphOperator
{
    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => apply(inputs[0]!);
}

/// <summary>An operator of two tensors with broadcasting.</summary>
internal sealed class BinaryOperator(Func<Tensor, Tensor, Tensor> apply) : IGraphOperator
{
    public InputRole RoleOf(int input) => InputRole.Operand;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => apply(inputs[0]!, inputs[1]!);
}

/// <summary>ONNX Softmax or its logarithm: along an axis; before version 13 over all axes from one on.</summary>
/// <param name="apply">Of a tensor, along an axis.</param>
internal sealed class SoftmaxOperator(OperatorNode op, Func<Tensor, long, Tensor> apply) : IGraphOperator
{
    private readonly bool _flattens = op.Version < 13;
    private readonly long _axis = op.Node.GetInt("axis", op.Version < 13 ? 1 : -1);

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor x = inputs[0]!;
        if (!_flattens)
            return apply(x, _axis);
        long axis = _axis < 0 ? _axis + x.dim() : _axis;
        return apply(x.flatten(axis), axis).reshape(x.shape);
    }
}

/// <summary>ONNX Clip with constant limits.</summary>
internal sealed class ClipOperator : IGraphOperator
{
    private readonly float _min, _max;

    public ClipOperator(OperatorNode op)
    {
        float Limit(string name, float none) =>
            op.Float(name, none) ?? throw new GraphException($"{op.Node} cannot be trained: its '{name}' is no constant number.");
        (_min, _max) = (Limit("min", float.NegativeInfinity), Limit("max", float.PositiveInfinity));
    }

    public InputRole RoleOf(int input) => input == 0 ? InputRole.Passed : InputRole.Constant;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]!.clamp(_min, _max);
}

/// <summary>ONNX Dropout: while training, zeroes a share of the elements and scales the rest up.</summary>
internal sealed class DropoutOperator(OperatorNode op) : IGraphOperator
{
    private readonly double _share = op.Float("ratio", 0.5f)
        ?? throw new GraphException($"{op.Node} cannot be trained: its 'ratio' is no constant number.");

    public InputRole RoleOf(int input) => input == 0 ? InputRole.Passed : InputRole.Constant;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) =>
        mode.IsTraining ? nn.functional.dropout(inputs[0]!, _share, training: true) : inputs[0]!.alias();
}
