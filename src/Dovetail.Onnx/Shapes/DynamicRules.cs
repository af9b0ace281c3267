using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Shapes;

/// <summary>Shapes of operators whose result's shape is data: cut, padded, resized or expanded by what their inputs hold.</summary>
internal static class DynamicRules
{
    public static TensorInfo ConstantOfShape(ShapeContext c)
    {
        OnnxType type = c.Node.FindTensor("value")?.DataType ?? OnnxType.Float;
        if (c.Values(0) is { } shape)
            return new TensorInfo(type, shape);
        TensorInfo x = c.Input(0, rank: 1);
        return new TensorInfo(type, [.. Enumerable.Repeat(Dim.Unknown, x.Size(0, c.Node.Inputs[0]))]);
    }

    public static TensorInfo Expand(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[] wanted = c.Values(1) ?? [.. Enumerable.Repeat(Dim.Unknown, c.Input(1, rank: 1).Size(0, c.Node.Inputs[1]))];
        return new TensorInfo(x.Type, c.Broadcast(x, new TensorInfo(x.Type, wanted)));
    }

    public static TensorInfo Slice(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[] shape = [.. x.Shape];
        Dim[]? starts = Numbers(c, 1, "starts"), ends = Numbers(c, 2, "ends");
        Dim[]? axes = Numbers(c, 3, "axes") ?? (c.Node.HasInput(3) || starts is null ? null : [.. Enumerable.Range(0, starts.Length).Select(i => (Dim)i)]);
        if (axes is null)
            return new TensorInfo(x.Type, [.. shape.Select(_ => Dim.Unknown)]);
        Dim[]? steps = c.Node.HasInput(4) ? c.Values(4) : [.. axes.Select(_ => (Dim)1)];
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = c.Axis(axes[i].Value ?? throw c.Bad("its axes are computed from symbols"), x.Rank);
            shape[axis] = steps?[i].Value is { } step and > 0 && shape[axis].Value is { } length && starts?[i].Value is { } start && ends?[i].Value is { } end
                ? Math.Max(0, (Clamp(end, length) - Clamp(start, length) + step - 1) / step)
                : Dim.Unknown;
        }

        return new TensorInfo(x.Type, shape);
    }

    public static TensorInfo[] Split(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        int axis = c.Axis(c.Node.GetInt("axis", 0), x.Rank), parts = c.Node.Outputs.Count;
        Dim[]? sizes = Numbers(c, 1, "split");
        if (sizes is not null && sizes.Length != parts)
            throw c.Bad($"{sizes.Length} sizes are given for {parts} outputs");
        var infos = new TensorInfo[parts];
        for (int i = 0; i < parts; i++)
        {
            Dim[] shape = [.. x.Shape];
            long whole = x.Shape[axis].Value is { } length ? (length + parts - 1) / parts : 0;
            shape[axis] = sizes is not null ? sizes[i]
                : x.Shape[axis].Value is { } total ? Math.Min(whole, Math.Max(0, total - i * whole))
                : Dim.Unknown;
            infos[i] = new TensorInfo(x.Type, shape);
        }

        return infos;
    }

    public static TensorInfo Pad(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[]? pads = Numbers(c, 1, "pads");
        int[] axes = c.Node.HasInput(3)
            ? [.. (c.Values(3) ?? throw c.Bad("its axes are not known")).Select(a => c.Axis(a.Value ?? throw c.Bad("its axes are computed from symbols"), x.Rank))]
            : [.. Enumerable.Range(0, x.Rank)];
        if (pads is not null && pads.Length != 2 * axes.Length)
            throw c.Bad($"{pads.Length} pads are given, expected {2 * axes.Length}");
        Dim[] shape = [.. x.Shape];
        for (int i = 0; i < axes.Length; i++)
            shape[axes[i]] = pads?[i].Value is { } before && pads[i + axes.Length].Value is { } after
                ? before + after == 0 ? shape[axes[i]] : shape[axes[i]].Value is { } length ? length + before + after : Dim.Unknown
                : Dim.Unknown;
        return new TensorInfo(x.Type, shape);
    }

    /// <summary>Sizes, or constant scales, over all axes; other forms leave the sizes unknown.</summary>
    public static TensorInfo Resize(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        if (c.Node.FindAttribute("axes") is null && c.Node.GetString("keep_aspect_ratio_policy", "stretch") == "stretch")
        {
            if (c.Values(3) is { } sizes && sizes.Length == x.Rank)
                return new TensorInfo(x.Type, sizes);
            if (c.Node.HasInput(2) && c.FindConstant(2)?.ToFloats() is { } scales && scales.Length == x.Rank)
                return new TensorInfo(x.Type, [.. x.Shape.Zip(scales, (d, s) => s == 1 ? d : d.Value is { } length ? (long)Math.Floor(length * s) : Dim.Unknown)]);
        }

        return new TensorInfo(x.Type, [.. x.Shape.Select(_ => Dim.Unknown)]);
    }

    // An input since some operator set, an attribute before.
    private static Dim[]? Numbers(ShapeContext c, int input, string attribute) =>
        c.Node.HasInput(input) ? c.Values(input) : c.Node.FindInts(attribute) is { } values ? Array.ConvertAll(values, v => (Dim)v) : null;

    private static long Clamp(long index, long length) => Math.Clamp(index < 0 ? index + length : index, 0, length);
}
