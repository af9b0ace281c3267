using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>What operators do to the short integer tensors that graphs compute shapes with: numbers, or symbols of the graph.</summary>
internal static class ValueRules
{
    public static Dim[]? Same(ShapeContext c) => c.Values(0);

    /// <summary>Values that stay what they are as long as they are integers of at least 32 bits; as floats they would be divided as
    /// such.</summary>
    public static Dim[]? Integers(ShapeContext c)
    {
        (OnnxType from, OnnxType to) = (c.Input(0).Type, c.Node.Is("Cast") ? (OnnxType)c.Node.GetInt("to") : c.Input(1).Type);
        return (IsWide(from) || from == OnnxType.Bool) && IsWide(to) ? c.Values(0)
            : to == OnnxType.Bool && (IsWide(from) || from == OnnxType.Bool) && Numbers(c.Values(0)) is { } numbers
                ? Array.ConvertAll(numbers, value => (Dim)(value != 0 ? 1 : 0))
            : null;
    }

    public static Dim[]? Not(ShapeContext c) =>
        Numbers(c.Values(0)) is { } values ? Array.ConvertAll(values, value => (Dim)(value == 0 ? 1 : 0)) : null;

    /// <summary>The number of elements.</summary>
    public static Dim[]? Size(ShapeContext c)
    {
        long count = 1;
        foreach (Dim dimension in c.Input(0).Shape)
        {
            if (dimension.Value is not { } length || (length > 0 && count > long.MaxValue / length))
                return null;
            count *= length;
        }

        return [count];
    }

    private static bool IsWide(OnnxType type) => type is OnnxType.Int32 or OnnxType.Int64;

    /// <summary>The dimensions that a Shape node cuts out.</summary>
    public static Dim[] Shape(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        int start = Clamp(c.Node.GetInt("start", 0), x.Rank), end = Clamp(c.Node.GetInt("end", x.Rank), x.Rank);
        return [.. x.Shape.Skip(start).Take(Math.Max(0, end - start))];
    }

    public static Dim[]? Gather(ShapeContext c)
    {
        if (c.Node.GetInt("axis", 0) != 0 || c.Input(0).Rank > 1 || c.Values(0) is not { } from || c.Values(1) is not { } indices
            || !Array.TrueForAll(indices, i => i.Value is { } v && v >= -from.Length && v < from.Length))
            return null;
        return Array.ConvertAll(indices, i => from[i.Value!.Value < 0 ? from.Length + (int)i.Value : (int)i.Value]);
    }

    public static Dim[]? Concat(ShapeContext c)
    {
        Dim[][] parts = [.. Enumerable.Range(0, c.Node.Inputs.Count).Select(c.Values).OfType<Dim[]>()];
        bool outermost = c.Node.GetInt("axis") is var axis && (axis == 0 || (axis == -1 && c.Input(0).Rank == 1));
        return outermost && parts.Length == c.Node.Inputs.Count ? [.. parts.SelectMany(p => p)] : null;
    }

    public static Dim[]? Slice(ShapeContext c)
    {
        if (c.Values(0) is not { } from || Strides(c) is not { } strides || Numbers(c.Values("starts")) is not { } starts
            || Numbers(c.Values("ends")) is not { } ends || starts.Length != ends.Length)
            return null;
        long[]? axes = c.Operator.IsGiven("axes") ? Numbers(c.Values("axes")) : [.. starts.Index().Select(entry => (long)entry.Index)];
        long[]? steps = c.Operator.IsGiven("steps") ? Numbers(c.Values("steps")) : Array.ConvertAll(starts, _ => 1L);
        if (axes?.Length != starts.Length || steps?.Length != starts.Length || steps.Contains(0))
            return null;
        TensorInfo x = c.Input(0);
        int[] places = [0];
        for (int axis = 0; axis < x.Rank; axis++)
        {
            long length = x.Shape[axis].Value!.Value;
            int at = Array.FindIndex(axes, a => c.Axis(a, x.Rank) == axis);
            (long first, long count, long step) = at < 0 ? (0, length, 1) : DynamicRules.Range(starts[at], ends[at], steps[at], length);
            places = [.. places.SelectMany(
                place => Enumerable.Range(0, (int)count).Select(i => place + (int)(first + i * step) * strides[axis]))];
        }

        return Array.ConvertAll(places, place => from[place]);
    }

    public static Dim[]? Transpose(ShapeContext c)
    {
        if (c.Values(0) is not { } from || Strides(c) is not { } strides)
            return null;
        TensorInfo x = c.Input(0);
        int[] order = c.Node.FindInts("perm") is { } perm ? Array.ConvertAll(perm, axis => c.Axis(axis, x.Rank))
            : [.. Enumerable.Range(0, x.Rank).Reverse()];
        int[] places = [0];
        foreach (int axis in order)
            places = [.. places.SelectMany(
                place => Enumerable.Range(0, (int)x.Shape[axis].Value!.Value).Select(i => place + i * strides[axis]))];
        return places.Length == from.Length ? Array.ConvertAll(places, place => from[place]) : null;
    }

    public static Dim[]? ConstantOfShape(ShapeContext c)
    {
        if (c.Node.FindTensor("value") is not { DataType: OnnxType.Int64 or OnnxType.Int32 } value || Numbers(c.Values(0)) is not { } sizes)
            return null;
        long count = sizes.Aggregate(
            1L, (product, size) => size < 0 || product > ShapeContext.MostElements ? long.MaxValue : product * size);
        return count <= ShapeContext.MostElements && value.ElementCount() == 1
            ? [.. Enumerable.Repeat((Dim)value.ToInt64s()[0], (int)count)]
            : null;
    }

    private static long[]? Numbers(Dim[]? values) => values is not null && Array.TrueForAll(values, value => value.IsKnown)
        ? Array.ConvertAll(values, value => value.Value!.Value)
        : null;

    /// <summary>Of the first input's axes, row-major; null where its elements are not as many as its shape says.</summary>
    private static int[]? Strides(ShapeContext c)
    {
        TensorInfo x = c.Input(0);
        var strides = new int[x.Rank];
        long step = 1;
        for (int axis = x.Rank - 1; axis >= 0; axis--)
        {
            if (x.Shape[axis].Value is not { } length || length > ShapeContext.MostElements)
                return null;
            strides[axis] = (int)step;
            step *= length;
            if (step > ShapeContext.MostElements)
                return null;
        }

        return c.Values(0)?.Length == step ? strides : null;
    }

    /// <param name="neutral">Of a symbol only this is known: s + 0, s · 1.</param>
    public static Func<ShapeContext, Dim[]?> Arithmetic(Func<long, long, long?> function, long? neutral) => c =>
    {
        if (c.Values(0) is not { } a || c.Values(1) is not { } b || (a.Length != b.Length && a.Length != 1 && b.Length != 1)
            || ((c.Input(0).Rank > 1 || c.Input(1).Rank > 1) && !c.Input(0).Equals(c.Input(1))))
            return null;
        var result = new Dim[Math.Max(a.Length, b.Length)];
        for (int i = 0; i < result.Length; i++)
        {
            Dim x = a[a.Length == 1 ? 0 : i], y = b[b.Length == 1 ? 0 : i];
            result[i] = x.Value is { } left && y.Value is { } right ? new Dim(function(left, right))
                : neutral is not null && y.Value == neutral ? x
                : neutral is not null && x.Value == neutral ? y
                : Dim.Unknown;
        }

        return result;
    };

    private static int Clamp(long index, int length) => (int)Math.Clamp(index < 0 ? index + length : index, 0, length);
}
