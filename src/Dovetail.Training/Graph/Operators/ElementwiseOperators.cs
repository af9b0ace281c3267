using Dovetail.Onnx.Model;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>An operator of one tensor without state: Relu, Sigmoid, Softmax, Identity, …</summary>
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

/// <summary>ONNX Clip with constant limits; from opset 11 on they are inputs, before attributes.</summary>
internal sealed class ClipOperator : IGraphOperator
{
    private readonly float _min, _max;

    public ClipOperator(NodeProto node, OnnxModel model)
    {
        float Limit(int input, string attribute, float none) =>
            node.HasInput(input) ? model.Constant(node.Inputs[input], node).ToFloats()[0] : node.GetFloat(attribute, none);
        (_min, _max) = (Limit(1, "min", float.NegativeInfinity), Limit(2, "max", float.PositiveInfinity));
    }

    public InputRole RoleOf(int input) => input == 0 ? InputRole.Passed : InputRole.Constant;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]!.clamp(_min, _max);
}

/// <summary>ONNX Dropout: while training, zeroes a share of the elements and scales the rest up.</summary>
internal sealed class DropoutOperator : IGraphOperator
{
    private readonly double _share;

    public DropoutOperator(NodeProto node, OnnxModel model) =>
        _share = node.HasInput(1) ? model.Constant(node.Inputs[1], node).ToFloats()[0] : node.GetFloat("ratio", 0.5f);

    public InputRole RoleOf(int input) => input == 0 ? InputRole.Passed : InputRole.Constant;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) =>
        mode.IsTraining ? nn.functional.dropout(inputs[0]!, _share, training: true) : inputs[0]!.alias();
}
