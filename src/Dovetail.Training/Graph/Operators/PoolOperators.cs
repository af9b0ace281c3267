using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>ONNX MaxPool in two dimensions.</summary>
internal sealed class MaxPoolOperator(NodeProto node) : IGraphOperator
{
    private readonly WindowAttributes _window = new(node);
    private readonly bool _ceil = node.GetInt("ceil_mode", 0) != 0;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        (Tensor x, long[] padding) = _window.Pad(inputs[0]!, double.NegativeInfinity, [_window.Kernel[0] / 2, _window.Kernel[1] / 2]);
        return nn.functional.max_pool2d(x, _window.Kernel, _window.Strides, padding, _window.Dilations, _ceil);
    }
}

/// <summary>ONNX AveragePool in two dimensions; padding counts as pixels only where the node says so.</summary>
internal sealed class AveragePoolOperator : IGraphOperator
{
    private readonly WindowAttributes _window;
    private readonly bool _ceil, _countPadding;

    public AveragePoolOperator(NodeProto node)
    {
        _window = new WindowAttributes(node);
        if (_window.Dilations.Any(d => d != 1))
            throw new GraphException($"{node} has dilations, which Torch's average pooling lacks.");
        (_ceil, _countPadding) = (node.GetInt("ceil_mode", 0) != 0, node.GetInt("count_include_pad", 0) != 0);
    }

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor input = inputs[0]!;
        (Tensor x, long[] padding) = _window.Pad(input, value: 0, [_window.Kernel[0] / 2, _window.Kernel[1] / 2]);
        Tensor Average(Tensor t) => nn.functional.avg_pool2d(t, _window.Kernel, _window.Strides, padding, _ceil, _countPadding);
        if (ReferenceEquals(x, input) || _countPadding)
            return Average(x);
        // Padded by hand: divide by the share of each window that lies in the image.
        return Average(x) / Average(_window.Pad(ones_like(input[.., ..1]), value: 0, [0, 0]).Padded);
    }
}

/// <summary>ONNX GlobalAveragePool: [N, C, spatial…] to [N, C, 1…].</summary>
internal sealed class GlobalAveragePoolOperator : IGraphOperator
{
    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor x = inputs[0]!;
        return x.mean([.. Enumerable.Range(2, (int)x.dim() - 2).Select(i => (long)i)], keepdim: true);
    }
}

/// <summary>ONNX ReduceMean: the mean over constant axes.</summary>
internal sealed class ReduceMeanOperator(OperatorNode op) : IGraphOperator
{
    private readonly long[]? _axes = op.Ints("axes");
    private readonly bool _keepDimensions = op.Node.GetInt("keepdims", 1) != 0, _noneMeansNone = op.Node.GetInt(
        "noop_with_empty_axes", 0) != 0;

    public InputRole RoleOf(int input) => input == 0 ? InputRole.Passed : InputRole.Constant;

    public Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode)
    {
        Tensor x = inputs[0]!;
        if (_axes is { Length: > 0 })
            return x.mean(_axes, _keepDimensions);
        return _noneMeansNone ? x.alias() : x.mean([.. Enumerable.Range(0, (int)x.dim()).Select(i => (long)i)], _keepDimensions);
    }
}
