using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Shapes;

/// <summary>
/// The values of small integer tensors that graphs compute shapes with, as far as they follow from input shapes:
/// numbers, or symbols of the graph. Exporters write "reshape to [batch, tokens, -1]" as Shape, Gather, Concat.
/// </summary>
internal sealed class ShapeValues(OnnxModel model)
{
    private const int MostElements = 16;

    private readonly Dictionary<string, Dim[]> _known = [];

    /// <summary>The elements of a tensor of rank 0 or 1; null where they are not known.</summary>
    public Dim[]? Find(string tensor)
    {
        if (_known.TryGetValue(tensor, out Dim[]? known))
            return known;
        if (model.FindConstant(tensor) is not { DataType: OnnxType.Int64 or OnnxType.Int32, Dims.Count: <= 1 } constant || constant.ElementCount() > MostElements)
            return null;
        return _known[tensor] = [.. constant.ToInt64s().Select(v => (Dim)v)];
    }

    /// <summary>Notes what a node's result is, where it is a shape or a part of one.</summary>
    public void Follow(NodeProto node, Func<int, TensorInfo> input)
    {
        if (node.Domain is not ("" or "ai.onnx"))
            return;
        Dim[]? result = node.OpType switch
        {
            "Shape" => ShapeOf(node, input(0)),
            "Gather" when node.GetInt("axis", 0) == 0 => Gather(Find(node.Input(0)), Find(node.Input(1))),
            "Concat" when node.GetInt("axis") == 0 => Concat(node),
            "Slice" => Slice(node),
            "Unsqueeze" or "Squeeze" or "Identity" or "Cast" => Find(node.Input(0)),
            "Add" => Combine(node, (a, b) => a + b, neutral: 0),
            "Sub" => Combine(node, (a, b) => a - b, neutral: null),
            "Mul" => Combine(node, (a, b) => a * b, neutral: 1),
            "Div" => Combine(node, (a, b) => b == 0 ? null : a / b, neutral: null),
            _ => null,
        };
        if (result is { Length: <= MostElements })
            _known[node.Outputs[0]] = result;
    }

    /// <summary>The dimensions that a Shape node cuts out.</summary>
    public static Dim[] ShapeOf(NodeProto node, TensorInfo x)
    {
        int start = Clamp(node.GetInt("start", 0), x.Rank), end = Clamp(node.GetInt("end", x.Rank), x.Rank);
        return [.. x.Shape.Skip(start).Take(Math.Max(0, end - start))];
    }

    private static int Clamp(long index, int length) => (int)Math.Clamp(index < 0 ? index + length : index, 0, length);

    private static Dim[]? Gather(Dim[]? from, Dim[]? indices)
    {
        if (from is null || indices is null || !Array.TrueForAll(indices, i => i.Value is { } v && v >= -from.Length && v < from.Length))
            return null;
        return Array.ConvertAll(indices, i => from[i.Value!.Value < 0 ? from.Length + (int)i.Value : (int)i.Value]);
    }

    private Dim[]? Concat(NodeProto node)
    {
        Dim[][] parts = [.. node.Inputs.Select(Find).OfType<Dim[]>()];
        return parts.Length == node.Inputs.Count ? [.. parts.SelectMany(p => p)] : null;
    }

    private Dim[]? Slice(NodeProto node)
    {
        if (Find(node.Input(0)) is not { } from || Find(node.Input(1)) is not [{ Value: { } start }] || Find(node.Input(2)) is not [{ Value: { } end }])
            return null;
        if (node.HasInput(4) && Find(node.Input(4)) is not [{ Value: 1 }])
            return null;
        int first = Clamp(start, from.Length), last = Clamp(end, from.Length);
        return from[first..Math.Max(first, last)];
    }

    // Of a symbol only the neutral element is known: s + 0, s · 1.
    private Dim[]? Combine(NodeProto node, Func<long, long, long?> function, long? neutral)
    {
        if (Find(node.Input(0)) is not { } a || Find(node.Input(1)) is not { } b || (a.Length != b.Length && a.Length != 1 && b.Length != 1))
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
    }
}
