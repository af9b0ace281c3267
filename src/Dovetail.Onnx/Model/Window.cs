namespace Dovetail.Onnx.Model;

/// <summary>The window attributes of a convolution or pooling, per spatial axis; pads as in ONNX: all begins, then all ends.</summary>
internal sealed record Window(int[] Kernel, int[] Strides, int[] Pads, int[] Dilations, string AutoPad, bool Ceil)
{
    /// <summary>Of a stride, a pad or a dilated window: far beyond any image, and small enough that sums stay numbers.</summary>
    private const int Largest = 1 << 24;

    public static Window Read(NodeProto node, int[] kernel)
    {
        int[] ones = [.. Enumerable.Repeat(1, kernel.Length)];
        if (node.GetInt32s("kernel_shape", kernel) is var said && !said.AsSpan().SequenceEqual(kernel))
            throw new OnnxException($"{node} says kernel_shape [{string.Join(", ", said)}], and its weights have "
                + $"[{string.Join(", ", kernel)}].");
        var window = new Window(
            kernel,
            node.GetInt32s("strides", ones),
            node.GetInt32s("pads", new int[2 * kernel.Length]),
            node.GetInt32s("dilations", ones),
            node.GetString("auto_pad", "NOTSET"),
            node.GetInt("ceil_mode", 0) != 0);
        if (window.Strides.Concat(window.Dilations).Concat(kernel).Any(v => v < 1) || window.Pads.Any(p => p < 0))
            throw new OnnxException($"{node} has a kernel, stride or dilation below 1 or a negative pad.");
        int widest = window.Strides.Concat(window.Pads).Max();
        long dilated = window.Dilations.Zip(kernel, (dilation, size) => (long)dilation * (size - 1) + 1).Max();
        if (widest > Largest || dilated > Largest)
            throw new OnnxException(
                $"{node} has a stride, a pad or a dilated window of {Math.Max(widest, dilated)}, expected at most {Largest}.");
        if (window.AutoPad is not ("NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"))
            throw new OnnxException($"{node} has auto_pad '{window.AutoPad}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER.");
        return window;
    }

    /// <summary>The output's length along an axis; unknown for an unknown input.</summary>
    public Dim Output(NodeProto node, int axis, Dim input)
    {
        if (input.Value is not { } length)
            return Dim.Unknown;
        (int begin, int end) = PadsOf(axis, (int)length);
        long span = length + begin + end - Dilations[axis] * (Kernel[axis] - 1) - 1;
        if (span < 0)
            throw new OnnxException($"{node}: the window {Kernel[axis]} (dilation {Dilations[axis]}) is larger than the padded input "
                + $"{length + begin + end}.");
        long steps = Ceil ? (span + Strides[axis] - 1) / Strides[axis] : span / Strides[axis];
        // A last window that would start in the end padding is dropped (ONNX, ceil_mode).
        if (Ceil && steps * Strides[axis] >= length + begin)
            steps--;
        return steps + 1;
    }

    /// <summary>Padding before and after, with auto_pad worked out.</summary>
    public (int Begin, int End) PadsOf(int axis, int length)
    {
        if (AutoPad == "VALID")
            return (0, 0);
        if (AutoPad == "NOTSET")
            return (Pads[axis], Pads[axis + Kernel.Length]);
        int outputs = (length + Strides[axis] - 1) / Strides[axis];
        int total = Math.Max(0, (outputs - 1) * Strides[axis] + Dilations[axis] * (Kernel[axis] - 1) + 1 - length);
        return AutoPad == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
    }
}
