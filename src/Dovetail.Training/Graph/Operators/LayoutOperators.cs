using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>ONNX Flatten: the dimensions before and from <c>axis</c> on become one each.</summary>
internal sealed class FlattenOperator(NodeProto node) : IGraphOperator
{
    private readonly int _axis = (int)node.GetInt("axis", 1);

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor x = inputs[0]!;
        int axis = _axis < 0 ? _axis + (int)x.dim() : _axis;
        long rows = x.shape.Take(axis).Aggregate(1L, (a, b) => a * b);
        return x.reshape(rows, rows == 0 ? 0 : x.numel() / rows);
    }
}

/// <summary>ONNX Reshape with a constant shape: −1 is worked out, 0 copies the input's dimension.</summary>
internal sealed class ReshapeOperator(OperatorNode op) : IGraphOperator
{
    private readonly long[] _shape = op.Ints("shape") ?? throw new GraphException($"{op.Node} cannot be trained: it has no shape.");
    private readonly bool _allowZero = op.Node.GetInt("allowzero", 0) != 0;

    public InputRole RoleOf(int input) => input == 0 ? InputRole.Passed : InputRole.Constant;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor x = inputs[0]!;
        return x.reshape([.. _shape.Select((d, i) => d == 0 && !_allowZero ? x.shape[i] : d)]);
    }
}

/// <summary>ONNX Transpose; without <c>perm</c> the dimensions are reversed.</summary>
internal sealed class TransposeOperator(NodeProto node) : IGraphOperator
{
    private readonly long[]? _permutation = node.FindInts("perm");

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor x = inputs[0]!;
        return x.permute(_permutation ?? [.. Enumerable.Range(0, (int)x.dim()).Reverse().Select(i => (long)i)]);
    }
}

/// <summary>ONNX Concat along an axis.</summary>
internal sealed class ConcatOperator(NodeProto node) : IGraphOperator
{
    private readonly long _axis = node.GetInt("axis");

    public InputRole RoleOf(int input) => InputRole.Operand;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        var parts = new List<Tensor>(inputs.Length);
        foreach (Tensor? input in inputs)
            parts.Add(input!);
        return cat(parts, _axis);
    }
}

/// <summary>ONNX Gather of a vector of constant indices along an axis: a choice or an order of channels. Negative indices count from the
/// end.</summary>
internal sealed class GatherOperator : IGraphOperator
{
    private readonly long _axis;
    private readonly long[] _indices;

    public GatherOperator(NodeProto node, OnnxModel model)
    {
        TensorProto indices = model.FindConstant(node.Input(1))
            ?? throw new GraphException($"{node} cannot be trained: its indices '{node.Input(1)}' are computed, and only constant ones are "
                + "supported.");
        if (indices.Dims.Count != 1)
            throw new GraphException($"{node} cannot be trained: its indices have {indices.Dims.Count} dimensions, and only a vector is "
                + "supported.");
        (_axis, _indices) = (node.GetInt("axis", 0), indices.ToInt64s());
    }

    public InputRole RoleOf(int input) => input == 0 ? InputRole.Passed : InputRole.Constant;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor x = inputs[0]!;
        long axis = _axis < 0 ? _axis + x.dim() : _axis, length = x.shape[axis];
        return x.index_select(axis, tensor(Array.ConvertAll(_indices, i => i < 0 ? i + length : i), device: x.device));
    }
}
