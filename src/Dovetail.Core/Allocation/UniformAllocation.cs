using Dovetail.Core.Patterns;

namespace Dovetail.Core.Allocation;

/// <summary>
/// One pattern for all layers, the baseline of allocations: of the patterns that appear among the choices the one with the
/// greatest total score within the budget. A layer without that pattern takes its densest choice.
/// </summary>
public static class UniformAllocation
{
    /// <exception cref="DovetailException">A layer has no choice, or every pattern exceeds the budget.</exception>
    public static AllocationResult Choose(IReadOnlyList<LayerChoices> layers, long budget)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.FirstOrDefault(layer => layer.Choices.Count == 0) is { } empty)
            throw new DovetailException($"Layer '{empty.Layer}' has no patterns to choose from; give at least the dense one, 1:1.");
        List<LayerChoice[]> all = [.. layers.SelectMany(layer => layer.Choices).Select(choice => choice.Pattern).Distinct()
            .Select(pattern => With(layers, pattern))];
        LayerChoice[]? best = all.Where(choices => choices.Sum(choice => choice.Cost) <= budget)
            .MaxBy(choices => choices.Sum(choice => choice.Score));
        if (best is null && layers.Count > 0)
            throw new DovetailException($"The cheapest uniform pattern costs {all.Min(choices => choices.Sum(choice => choice.Cost))} over "
                + $"all {layers.Count} layers, and the budget is {budget}. Allow sparser patterns or a larger budget.");
        return Result(layers, best ?? []);
    }

    private static LayerChoice[] With(IReadOnlyList<LayerChoices> layers, ComplementaryPattern pattern) =>
        [.. layers.Select(
            layer => layer.Choices.FirstOrDefault(choice => choice.Pattern == pattern)
            ?? layer.Choices.MaxBy(choice => choice.Pattern.Density)!)];

    /// <summary>A heuristic's allocation, with the sum of the layers' greatest scores as the bound.</summary>
    internal static AllocationResult Result(IReadOnlyList<LayerChoices> layers, IReadOnlyList<LayerChoice> choices)
    {
        double score = choices.Sum(choice => choice.Score), bound = layers.Sum(layer => layer.Choices.Max(choice => choice.Score));
        return new AllocationResult(choices, choices.Sum(choice => choice.Cost), score, bound, score >= bound);
    }
}
