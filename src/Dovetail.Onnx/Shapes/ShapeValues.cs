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
        if (model.FindConstant(tensor) is not { DataType: OnnxType.Int64 or OnnxType.Int32, Dims.Count: <= 1 } constant
            || constant.ElementCount() > MostElements)
            return null;
        return _known[tensor] = [.. constant.ToInt64s().Select(v => (Dim)v)];
    }

    /// <summary>Keeps what a node's result is.</summary>
    public void Note(string tensor, Dim[] elements)
    {
        if (elements.Length <= MostElements)
            _known[tensor] = elements;
    }
}
