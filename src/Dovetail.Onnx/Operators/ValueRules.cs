using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>What operators do to the short integer tensors that graphs compute shapes with: numbers, or symbols of the graph.</summary>
internal static class ValueRules
{
    public static Dim[]? Same(ShapeContext c) => c.Values(0);

    /// <summary>Values that stay what they are as long as they are integers of at least 32 bits; as floats they would be divided as
    /// such.</summary>
    public static Dim[]? Integers(ShapeContext c) =>
        IsWide(c.Input(0).Type) && IsWide(c.Node.Is("Cast") ? (OnnxType)c.Node.GetInt("to") : c.Input(1).Type) ? c.Values(0) : null;

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
        if (c.Node.GetInt("axis", 0) != 0 || c.Values(0) is not { } from || c.Values(1) is not { } indices
            || !Array.TrueForAll(indices, i => i.Value is { } v && v >= -from.Length && v < from.Length))
            return null;
        return Array.ConvertAll(indices, i => from[i.Value!.Value < 0 ? from.Length + (int)i.Value : (int)i.Value]);
    }

    public static Dim[]? Concat(ShapeContext c)
    {
        Dim[][] parts = [.. Enumerable.Range(0, c.Node.Inputs.Count).Select(c.Values).OfType<Dim[]>()];
        return c.Node.GetInt("axis") == 0 && parts.Length == c.Node.Inputs.Count ? [.. parts.SelectMany(p => p)] : null;
    }

    public static Dim[]? Slice(ShapeContext c)
    {
        if (c.Values(0) is not { } from || c.Values("starts") is not [{ Value: { } start }] || c.Values("ends") is not [{ Value: { } end }])
            return null;
        if (c.Operator.IsGiven("steps") && c.Values("steps") is not [{ Value: 1 }])
            return null;
        int first = Clamp(start, from.Length), last = Clamp(end, from.Length);
        return from[first..Math.Max(first, last)];
    }

    /// <param name="neutral">Of a symbol only this is known: s + 0, s · 1.</param>
    public static Func<ShapeContext, Dim[]?> Arithmetic(Func<long, long, long?> function, long? neutral) => c =>
    {
        if (c.Values(0) is not { } a || c.Values(1) is not { } b || (a.Length != b.Length && a.Length != 1 && b.Length != 1))
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
