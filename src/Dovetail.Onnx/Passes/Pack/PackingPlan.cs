namespace Dovetail.Onnx.Passes.Pack;

/// <summary>What packing does to a model, before it is done.</summary>
/// <param name="ModelName">The graph's name.</param>
/// <param name="Layers">Every layer with weights, in graph order.</param>
/// <param name="Layout">Where images are NHWC, and where Transposes stand.</param>
public sealed record PackingPlan(string ModelName, IReadOnlyList<LayerPlan> Layers, LayoutPlan Layout)
{
    /// <summary>Weights of all layers before; those that several read once.</summary>
    public long DenseBytes => Layers.DistinctBy(Weights).Sum(layer => layer.DenseBytes);

    /// <summary>Weights of all layers after, packed or dense; those that several read alike once.</summary>
    public long PackedBytes => Layers.DistinctBy(layer => (Weights(layer), layer.Pattern)).Sum(layer => layer.PackedBytes);

    /// <summary>The layers that are packed.</summary>
    public IEnumerable<LayerPlan> Packed => Layers.Where(layer => layer.IsPacked);

    private static string Weights(LayerPlan layer) => layer.SharedWith ?? layer.Name;
}
