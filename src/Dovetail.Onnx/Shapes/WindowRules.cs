using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Shapes;

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
        int[] kernel = [.. w.Shape.Skip(2).Select(d => (int)d.Value!)];
        var window = Window.Read(c.Node, kernel);
        return new TensorInfo(x.Type, [x.Shape[0], w.Shape[0], .. kernel.Select((_, axis) => window.Output(c, axis, x.Shape[axis + 2]))]);
    }

    public static TensorInfo Pool(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        long[] kernel = c.Node.GetInts("kernel_shape");
        if (x.Rank != kernel.Length + 2)
            throw c.Bad($"input {x} does not fit a window of {kernel.Length} dimensions");
        var window = Window.Read(c.Node, [.. kernel.Select(k => (int)k)]);
        return new TensorInfo(x.Type, [x.Shape[0], x.Shape[1], .. kernel.Select((_, axis) => window.Output(c, axis, x.Shape[axis + 2]))]);
    }

    public static TensorInfo GlobalPool(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        return x.Rank < 3 ? throw c.Bad($"input {x}, expected rank 3 or more")
            : new TensorInfo(x.Type, [x.Shape[0], x.Shape[1], .. Enumerable.Repeat((Dim)1, x.Rank - 2)]);
    }

    /// <summary>A window with the attribute kernel_shape over NHWC that keeps the channels.</summary>
    public static TensorInfo SlideChannelsLast(ShapeContext c)
    {
        TensorInfo x = c.Input(0, rank: 4);
        var window = Window.Read(c.Node, c.Node.GetInt32s("kernel_shape", 1, 1));
        return new TensorInfo(x.Type, [x.Shape[0], window.Output(c, 0, x.Shape[1]), window.Output(c, 1, x.Shape[2]), x.Shape[3]]);
    }

    /// <summary>NHWC.</summary>
    public static TensorInfo PackedConv(ShapeContext c, OnnxType type)
    {
        TensorInfo x = c.Input(0, rank: 4);
        long[] shape = c.Node.GetInts("weight_shape");
        if (shape.Length != 4)
            throw c.Bad($"weight_shape has {shape.Length} numbers, expected 4");
        if (x.Shape[3].Value is { } channels && channels != shape[1] * c.Node.GetInt("group", 1))
            throw c.Bad($"input {x} has {channels} channels (NHWC), and the weights expect {shape[1] * c.Node.GetInt("group", 1)}");
        var window = Window.Read(c.Node, [(int)shape[2], (int)shape[3]]);
        return new TensorInfo(type, [x.Shape[0], window.Output(c, 0, x.Shape[1]), window.Output(c, 1, x.Shape[2]), shape[0]]);
    }
}
