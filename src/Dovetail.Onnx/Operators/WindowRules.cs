using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Shapes of operators that slide a window over an image.</summary>
internal static class WindowRules
{
    public static TensorInfo Conv(ShapeContext c, int weights = 1)
    {
        TensorInfo x = c.Input(0), w = c.Input(weights);
        if (x.Rank < 3 || w.Rank != x.Rank)
            throw c.Bad($"input {x} and weights {w} do not fit; expected equal ranks of at least 3");
        long groups = c.Node.GetInt("group", 1);
        if (x.Shape[1].Value is { } channels && channels != w.Shape[1].Value * groups)
            throw c.Bad($"input {x} has {channels} channels, and weights {w} in {groups} groups expect {w.Shape[1].Value * groups}");
        int[] kernel = Kernel(c, w);
        var window = Window.Read(c.Node, kernel);
        return new TensorInfo(
            x.Type, [x.Shape[0], w.Shape[0], .. kernel.Select((_, axis) => window.Output(c.Node, axis, x.Shape[axis + 2]))]);
    }

    /// <summary>As long as the input and the strides say, what the window adds included and the padding taken off.</summary>
    public static TensorInfo[] ConvTranspose(ShapeContext c)
    {
        TensorInfo x = c.Input(0), w = c.Input(1);
        if (x.Rank < 3 || w.Rank != x.Rank)
            throw c.Bad($"input {x} and weights {w} do not fit; expected equal ranks of at least 3");
        int[] kernel = Kernel(c, w);
        var window = Window.Read(c.Node, kernel);
        int[] extra = c.Node.GetInt32s("output_padding", new int[kernel.Length]);
        long[]? said = c.Node.FindInts("output_shape")?.TakeLast(kernel.Length).ToArray();
        Dim Length(int axis) =>
            said is not null ? axis < said.Length ? said[axis] : throw c.Bad($"its output_shape has {said.Length} sizes")
            : x.Shape[axis + 2].Value is not { } length ? Dim.Unknown
            : window.AutoPad.StartsWith("SAME", StringComparison.Ordinal) ? length * window.Strides[axis]
            : (length - 1) * window.Strides[axis] + extra[axis] + (kernel[axis] - 1) * window.Dilations[axis] + 1
                - (window.AutoPad == "VALID" ? 0 : window.Pads[axis] + window.Pads[axis + kernel.Length]);
        Dim channels = w.Shape[1].Value is { } each ? each * c.Node.GetInt("group", 1) : Dim.Unknown;
        return [new TensorInfo(x.Type, [x.Shape[0], channels, .. kernel.Select((_, axis) => Length(axis))])];
    }

    /// <summary>MaxPool's second output is where the maxima are.</summary>
    public static TensorInfo[] MaxPool(ShapeContext c) => [Pool(c), Pool(c) with { Type = OnnxType.Int64 }];

    public static TensorInfo Pool(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        long[] kernel = c.Node.GetInts("kernel_shape");
        if (x.Rank != kernel.Length + 2)
            throw c.Bad($"input {x} does not fit a window of {kernel.Length} dimensions");
        var window = Window.Read(c.Node, c.Node.GetInt32s("kernel_shape", new int[kernel.Length]));
        return new TensorInfo(
            x.Type, [x.Shape[0], x.Shape[1], .. kernel.Select((_, axis) => window.Output(c.Node, axis, x.Shape[axis + 2]))]);
    }

    public static TensorInfo[] GlobalPool(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        return x.Rank < 3 ? throw c.Bad($"input {x}, expected rank 3 or more")
            : [new TensorInfo(x.Type, [x.Shape[0], x.Shape[1], .. Enumerable.Repeat((Dim)1, x.Rank - 2)])];
    }

    private static int[] Kernel(ShapeContext c, TensorInfo weights) =>
        [.. weights.Shape.Skip(2).Select(d => (int)(d.Value ?? throw c.Undetermined($"weights {weights} have no known window")))];
}
