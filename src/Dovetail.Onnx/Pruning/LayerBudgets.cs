using Dovetail.Core.Allocation;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;

namespace Dovetail.Onnx.Pruning;

/// <summary>
/// The choices of a model's layers for an allocation: the dense pattern "1:1" and every candidate that fits the layer, each
/// with its cost and, as score, the energy Σw² that its best mask keeps, times the layer's weight.
/// </summary>
internal static class LayerBudgets
{
    /// <param name="layers">Of one model, with floating-point weights.</param>
    /// <param name="cost">In the unit of the budget, e.g. <see cref="LayerCosts.MultiplyAccumulates"/>.</param>
    /// <param name="weight">How much a layer's energy counts against other layers'; null: 1.</param>
    /// <param name="allowed">Which candidates a layer may take; null: all that fit it.</param>
    /// <returns>In the order of the layers.</returns>
    /// <exception cref="Model.OnnxException">A layer has int8 weights, or its cost needs a size that is not fixed.</exception>
    public static IReadOnlyList<LayerChoices> Choices(
        IReadOnlyList<WeightLayer> layers, IReadOnlyList<ComplementaryPattern> candidates,
        Func<WeightLayer, ComplementaryPattern, long> cost, Func<WeightLayer, double>? weight,
        Func<WeightLayer, ComplementaryPattern, bool>? allowed)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentNullException.ThrowIfNull(cost);
        return [.. layers.Select(layer =>
            Of(layer, candidates.Where(p => allowed?.Invoke(layer, p) != false), cost, weight?.Invoke(layer) ?? 1))];
    }

    private static LayerChoices Of(
        WeightLayer layer, IEnumerable<ComplementaryPattern> candidates, Func<WeightLayer, ComplementaryPattern, long> cost, double weight)
    {
        float[] weights = layer.GetWeights();
        double energy = weights.Sum(w => (double)w * w) * weight;
        double Score(ComplementaryPattern p) => energy * (p.IsDense ? 1 : CapturedEnergy.Of(weights, p, layer.Shape));
        IEnumerable<ComplementaryPattern> patterns = candidates.Where(p => !p.IsDense && layer.ReasonAgainst(p) is null)
            .Distinct().Prepend(ComplementaryPattern.Dense);
        return new LayerChoices(layer.Name, [.. patterns.Select(p => new LayerChoice(p, cost(layer, p), Score(p)))]);
    }
}
