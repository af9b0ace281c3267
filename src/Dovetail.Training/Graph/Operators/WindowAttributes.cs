using Dovetail.Onnx.Model;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>Kernel, strides, dilations and padding of a convolution or pooling in two dimensions.</summary>
internal sealed class WindowAttributes
{
    private readonly string _autoPad;
    private readonly int[] _pads; // top, left, bottom, right

    /// <param name="kernel">The window, [height, width]; null to read it from the node.</param>
    public WindowAttributes(NodeProto node, long[]? kernel = null)
    {
        Kernel = kernel ?? node.GetInts("kernel_shape");
        if (Kernel.Length != 2)
            throw new GraphException($"{node} has a window of {Kernel.Length} dimensions, expected 2.");
        Strides = Array.ConvertAll(node.GetInt32s("strides", 1, 1), v => (long)v);
        Dilations = Array.ConvertAll(node.GetInt32s("dilations", 1, 1), v => (long)v);
        _pads = node.GetInt32s("pads", 0, 0, 0, 0);
        _autoPad = node.GetString("auto_pad", "NOTSET");
        if (_autoPad is not ("NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"))
            throw new GraphException($"{node} has auto_pad '{_autoPad}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER.");
        if (_pads.Any(p => p < 0))
            throw new GraphException($"{node} has the negative padding [{string.Join(", ", _pads)}], expected 0 or more.");
    }

    public long[] Kernel { get; }

    public long[] Strides { get; }

    public long[] Dilations { get; }

    /// <summary>
    /// Leaves symmetric padding to the Torch operation (the second result) and does any other by hand.
    /// </summary>
    /// <param name="value">What padding pixels hold.</param>
    /// <param name="limit">Largest padding that the Torch operation takes, per axis.</param>
    public (Tensor Padded, long[] Padding) Pad(Tensor x, double value, long[]? limit = null)
    {
        (long top, long bottom) = Of(0, x.shape[2]);
        (long left, long right) = Of(1, x.shape[3]);
        return top == bottom && left == right && (limit is null || (top <= limit[0] && left <= limit[1]))
            ? (x, [top, left])
            : (nn.functional.pad(x, [left, right, top, bottom], value: value), [0, 0]);
    }

    private (long Begin, long End) Of(int axis, long length)
    {
        if (_autoPad == "VALID")
            return (0, 0);
        if (_autoPad == "NOTSET")
            return (_pads[axis], _pads[axis + 2]);
        long outputs = (length + Strides[axis] - 1) / Strides[axis];
        long total = Math.Max(0, (outputs - 1) * Strides[axis] + Dilations[axis] * (Kernel[axis] - 1) + 1 - length);
        return _autoPad == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
    }
}
