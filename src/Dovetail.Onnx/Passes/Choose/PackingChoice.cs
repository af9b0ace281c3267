using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Choose;

/// <summary>
/// Which of the layers that can be packed should be, so that the network becomes fastest by prediction.
/// 1. A matrix product is packed where that saves enough.
/// 2. A convolution that is packed works in NHWC, and a border between layouts costs a Transpose (<see cref="LayoutLinks"/>): a slow
///    layer between fast ones may pay, and a fast one between slow ones may not. Layers and regions are the vertices of a graph,
///    NHWC and NCHW its two sides; the cheapest assignment is a minimum cut (<see cref="MinimumCut"/>), exactly.
/// A layer whose sizes are not fixed is not predicted, and is packed.
/// </summary>
internal static class PackingChoice
{
    /// <param name="model">Batch norms folded, as the packing pass sees it.</param>
    /// <param name="patterns">Of the layers that can be packed, by node name.</param>
    /// <returns>By node name; without the layers whose sizes are not fixed.</returns>
    public static IReadOnlyDictionary<string, LayerPrediction> Choose(
        OnnxModel model, IReadOnlyDictionary<string, ComplementaryPattern> patterns, FasterLayers options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(patterns);
        ArgumentNullException.ThrowIfNull(options);
        model.NameNodes();
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model, batch: 1);
        return Choose(model, shapes, WeightLayers.Find(model, shapes), patterns, options);
    }

    internal static IReadOnlyDictionary<string, LayerPrediction> Choose(
        OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes, IReadOnlyList<WeightLayer> all,
        IReadOnlyDictionary<string, ComplementaryPattern> patterns, FasterLayers options)
    {
        ILayerTimes times = options.Times;
        List<WeightLayer> layers = [.. all.Where(layer => layer.HasFixedSize && patterns.ContainsKey(layer.Name))];
        (double Dense, double Packed)[] sides = [.. layers.Select(layer => (
            times.DenseMicroseconds(layer.Workload, layer.Shape, patterns[layer.Name], layer.IsQuantized),
            times.PackedMicroseconds(layer.Workload, layer.Shape, patterns[layer.Name], layer.IsQuantized)))];
        Dictionary<NodeProto, int> convolutions = layers.Index().Where(entry => entry.Item.Op == "Conv").ToDictionary(
            entry => entry.Item.Node, entry => entry.Index);
        IReadOnlyList<LayoutLinks.Link> links = convolutions.Count == 0
            ? []
            : LayoutLinks.Find(model, shapes, convolutions.Keys.ToHashSet());
        Dictionary<string, int> regions = links.Select(link => link.Region).Distinct().Index().ToDictionary(
            entry => entry.Item, entry => layers.Count + entry.Index);
        ComplementaryPattern? beside = layers.Find(layer => layer.Op == "Conv") is { } convolution ? patterns[convolution.Name] : null;
        var borders = links.Select(link => (
            Layer: link.Layer is null ? (int?)null : convolutions[link.Layer], Region: regions[link.Region],
            Cost: times.TransposeMicroseconds(link.Elements, beside!, link.IsQuantized))).ToList();

        var cut = new MinimumCut(layers.Count + regions.Count);
        for (int i = 0; i < layers.Count; i++)
            cut.AddCosts(i, onSourceSide: sides[i].Packed / (1 - options.LeastGain), onSinkSide: sides[i].Dense);
        foreach ((int? layer, int region, double cost) in borders)
            if (layer is { } vertex)
                cut.AddLink(vertex, region, cost);
            else
                cut.AddCosts(region, onSourceSide: cost, onSinkSide: 0);
        bool[] channelsLast = cut.Cut();
        return layers.Index().ToDictionary(entry => entry.Item.Name, entry => new LayerPrediction(
            sides[entry.Index].Dense, sides[entry.Index].Packed, Transposes(entry.Index, packed: true) - Transposes(
                entry.Index, packed: false), channelsLast[entry.Index]));

        // Around one layer, the others as they were chosen and every region in the cheaper layout.
        double Transposes(int layer, bool packed) =>
            borders.Where(border => border.Layer == layer).Select(border => border.Region).Distinct().Sum(region =>
        {
            ILookup<bool, double> costs = borders.Where(border => border.Region == region)
                .ToLookup(border => border.Layer == layer ? packed : border.Layer is { } other && channelsLast[other], border =>
                    border.Cost);
            return Math.Min(costs[true].Sum(), costs[false].Sum());
        });
    }
}
