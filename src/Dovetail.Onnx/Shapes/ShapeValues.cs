using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Shapes;

/// <summary>
/// The values of small integer tensors that graphs compute shapes with, as far as they follow from input shapes:
/// numbers, or symbols of the graph. Exporters write "reshape to [batch, tokens, -1]" as Shape, Gather, Concat.
/// </summary>
/// <param name="outer">Of the graph around this one.</param>
internal sealed class ShapeValues(OnnxModel model, ShapeValues? outer = null)
{
    private readonly Dictionary<string, Dim[]> _known = [];

    /// <summary>The elements of a tensor, row-major; null where they are not known.</summary>
    public Dim[]? Find(string tensor)
    {
        if (_known.TryGetValue(tensor, out Dim[]? known))
            return known;
        if (model.FindConstant(tensor) is not { DataType: OnnxType.Int64 or OnnxType.Int32 or OnnxType.Bool } constant)
            return outer is null || model.Makes(tensor) ? null : outer.Find(tensor);
        if (constant.ElementCount() > ShapeContext.MostElements)
            return null;
        return _known[tensor] = [.. constant.ToInt64s().Select(v => (Dim)v)];
    }

    /// <summary>Keeps what a node's result is.</summary>
    public void Note(string tensor, Dim[] elements)
    {
        if (elements.Length <= ShapeContext.MostElements)
            _known[tensor] = elements;
    }
}
