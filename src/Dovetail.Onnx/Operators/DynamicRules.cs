using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Shapes of operators whose result's shape is data: cut, padded, resized or expanded by what their inputs hold.</summary>
internal static class DynamicRules
{
    public static TensorInfo[] ConstantOfShape(ShapeContext c)
    {
        OnnxType type = c.Node.FindTensor("value")?.DataType ?? OnnxType.Float;
        return [new TensorInfo(type, c.Values(0) ?? Unknown(c.Input(0, rank: 1).Size(0, c.Node.Inputs[0])))];
    }

    public static TensorInfo[] Expand(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[] wanted = c.Values(1) ?? Unknown(c.Input(1, rank: 1).Size(0, c.Node.Inputs[1]));
        return [new TensorInfo(x.Type, c.Broadcast(x, new TensorInfo(x.Type, wanted)))];
    }

    public static TensorInfo[] Tile(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[]? repeats = c.Values(1);
        if (repeats is not null && repeats.Length != x.Rank)
            throw c.Bad($"{repeats.Length} repeats are given for {x}");
        return [new TensorInfo(x.Type, [.. x.Shape.Select((d, i) => repeats?[i].Value is { } times ? c.Times(d, times) : Dim.Unknown)])];
    }

    public static TensorInfo[] Slice(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[] shape = [.. x.Shape];
        Dim[]? starts = c.Values("starts"), ends = c.Values("ends");
        Dim[]? axes = c.Values("axes");
        if (axes is null && starts is not null && !c.Operator.IsGiven("axes"))
            axes = [.. Enumerable.Range(0, starts.Length).Select(i => (Dim)i)];
        if (axes is null)
            return [new TensorInfo(x.Type, Unknown(x.Rank))];
        Dim[]? steps = c.Operator.IsGiven("steps") ? c.Values("steps") : [.. axes.Select(_ => (Dim)1)];
        if (new[] { starts, ends, steps }.Any(given => given is not null && given.Length != axes.Length))
            throw c.Bad($"its {axes.Length} axes have {Count(starts)} starts, {Count(ends)} ends and {Count(steps)} steps; expected one of "
                + "each for every axis");
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = c.Axis(axes[i].Value ?? throw c.Undetermined("its axes are computed from symbols"), x.Rank);
            shape[axis] = steps?[i].Value is { } step and not 0 && shape[axis].Value is { } length
                && starts?[i].Value is { } start && ends?[i].Value is { } end
                ? Range(start, end, step, length).Count
                : Dim.Unknown;
        }

        return [new TensorInfo(x.Type, shape)];

        static string Count(Dim[]? given) => given is null ? "?" : $"{given.Length}";
    }

    public static TensorInfo[] Split(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        int axis = c.Axis(c.Node.GetInt("axis", 0), x.Rank), parts = c.Node.Outputs.Count;
        Dim[]? sizes = c.Values("split");
        bool equal = !c.Operator.IsGiven("split");
        if (sizes is not null && sizes.Length != parts)
            throw c.Bad($"{sizes.Length} sizes are given for {parts} outputs");
        var infos = new TensorInfo[parts];
        for (int i = 0; i < parts; i++)
        {
            Dim[] shape = [.. x.Shape];
            long whole = x.Shape[axis].Value is { } length ? (length + parts - 1) / parts : 0;
            shape[axis] = sizes is not null ? sizes[i]
                : equal && x.Shape[axis].Value is { } total ? Math.Min(whole, Math.Max(0, total - i * whole))
                : Dim.Unknown;
            infos[i] = new TensorInfo(x.Type, shape);
        }

        return infos;
    }

    public static TensorInfo[] Pad(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        Dim[]? pads = c.Values("pads");
        Dim[]? said = c.Values("axes");
        int[] axes = c.Operator.IsGiven("axes")
            ? [.. (said ?? throw c.Undetermined("its axes are not known"))
                .Select(a => c.Axis(a.Value ?? throw c.Undetermined("its axes are computed from symbols"), x.Rank))]
            : [.. Enumerable.Range(0, x.Rank)];
        if (pads is not null && pads.Length != 2 * axes.Length)
            throw c.Bad($"{pads.Length} pads are given, expected {2 * axes.Length}");
        Dim[] shape = [.. x.Shape];
        for (int i = 0; i < axes.Length; i++)
            shape[axes[i]] = pads?[i].Value is { } before && pads[i + axes.Length].Value is { } after
                ? before + after == 0 ? shape[axes[i]] : shape[axes[i]].Value is { } length ? length + before + after : Dim.Unknown
                : Dim.Unknown;
        return [new TensorInfo(x.Type, shape)];
    }

    /// <summary>Sizes, or constant scales, over all axes; other forms leave the sizes unknown.</summary>
    public static TensorInfo[] Resize(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        bool plain = c.Node.FindAttribute("axes") is null && c.Node.GetString("keep_aspect_ratio_policy", "stretch") == "stretch";
        return plain && c.Values("sizes") is { } sizes && sizes.Length == x.Rank ? [new TensorInfo(x.Type, sizes)]
            : plain ? Scale(c)
            : [new TensorInfo(x.Type, Unknown(x.Rank))];
    }

    public static TensorInfo[] Scale(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        return c.Operator.FindFloats("scales") is { } scales && scales.Length == x.Rank
            ? [new TensorInfo(x.Type, [.. x.Shape.Zip(scales, Scaled)])]
            : [new TensorInfo(x.Type, Unknown(x.Rank))];

        static Dim Scaled(Dim length, float by) =>
            by == 1 ? length : length.Value is { } known ? (long)Math.Floor(known * by) : Dim.Unknown;
    }

    private static Dim[] Unknown(int rank) => [.. Enumerable.Repeat(Dim.Unknown, rank)];

    /// <summary>The elements that a slice of an axis takes, as NumPy does.</summary>
    /// <param name="step">Not 0.</param>
    internal static (long First, long Count, long Step) Range(long start, long end, long step, long length)
    {
        step = Math.Clamp(step, -int.MaxValue, int.MaxValue);
        (long least, long most) = step > 0 ? (0, length) : (-1, length - 1);
        long first = Math.Clamp(start < 0 ? start + length : start, step > 0 ? 0 : Math.Min(0, most), most);
        long last = Math.Clamp(end < 0 ? Math.Max(end, -length - 1) + length : end, least, most);
        long span = step > 0 ? last - first : first - last;
        return (first, Math.Max(0, (span + Math.Abs(step) - 1) / Math.Abs(step)), step);
    }
}
