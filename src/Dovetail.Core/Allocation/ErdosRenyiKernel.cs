using Dovetail.Core.Patterns;

namespace Dovetail.Core.Allocation;

/// <summary>
/// ERK: densities of layers that give a network a global density, larger for smaller layers.
/// 1. A layer's density is ε·Σ dimensions / Π dimensions of [outputs, inputs, spatial…].
/// 2. ε makes the non-zeros of all layers add up to the global share of the weights.
/// 3. A layer whose density would exceed 1 is dense, and ε is found again for the others, until none exceeds 1.
/// 4. Within a budget: each layer takes its densest choice that does not exceed its density, and the global density is the
///    greatest, found by bisection, whose choices do not cost more.
/// Source: Evci et al., Rigging the Lottery, ICML 2020, after Mocanu et al., 2018.
/// </summary>
public static class ErdosRenyiKernel
{
    /// <returns>The density of each layer, above 0 and at most 1.</returns>
    /// <exception cref="DovetailException">The global density is not above 0 and at most 1.</exception>
    internal static double[] Densities(IReadOnlyList<WeightShape> layers, double density)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (!(density > 0 && density <= 1))
            throw new DovetailException($"The global density is {density}, expected above 0 and at most 1.");
        double[] raw = [.. layers.Select(shape => shape.Dimensions.Sum(size => (double)size) / shape.Count)];
        var dense = new bool[layers.Count];
        while (true)
        {
            double wanted = 0, perEpsilon = 0;
            for (int i = 0; i < raw.Length; i++)
            {
                wanted += layers[i].Count * (dense[i] ? density - 1 : density);
                perEpsilon += dense[i] ? 0 : layers[i].Count * raw[i];
            }

            double epsilon = perEpsilon == 0 ? 0 : wanted / perEpsilon;
            bool changed = false;
            for (int i = 0; i < raw.Length; i++)
                if (!dense[i] && epsilon * raw[i] > 1)
                    dense[i] = changed = true;
            if (!changed)
                return [.. raw.Select((value, i) => dense[i] ? 1 : epsilon * value)];
        }
    }

    /// <summary>For each density the densest of some patterns that does not exceed it, or the sparsest where all do.</summary>
    public static ComplementaryPattern[] Round(IReadOnlyList<double> densities, IReadOnlyList<ComplementaryPattern> patterns)
    {
        ArgumentNullException.ThrowIfNull(densities);
        ArgumentNullException.ThrowIfNull(patterns);
        if (patterns.Count == 0)
            throw new DovetailException("There are no patterns to round densities to; give at least one.");
        ComplementaryPattern[] byDensity = [.. patterns.OrderBy(pattern => pattern.Density)];
        const double Rounding = 1e-12;
        return [.. densities.Select(density => byDensity.LastOrDefault(pattern => pattern.Density <= density + Rounding) ?? byDensity[0])];
    }

    /// <summary>One choice for each layer by ERK densities, within a budget. Layers with a single choice take it and do not count in the
    /// densities.</summary>
    /// <param name="shapes">The layers' weights, in the order of the layers.</param>
    /// <exception cref="DovetailException">A layer has no choice, or the sparsest choices exceed the budget.</exception>
    public static AllocationResult Choose(IReadOnlyList<LayerChoices> layers, IReadOnlyList<WeightShape> shapes, long budget)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(shapes);
        if (layers.Count != shapes.Count)
            throw new DovetailException($"{layers.Count} layers and {shapes.Count} shapes were given, expected as many.");
        if (layers.FirstOrDefault(layer => layer.Choices.Count == 0) is { } empty)
            throw new DovetailException($"Layer '{empty.Layer}' has no patterns to choose from; give at least the dense one, 1:1.");
        LayerChoice[][] byDensity = [
            .. layers.Select(layer => layer.Choices.OrderBy(choice => choice.Pattern.Density).ThenBy(choice => choice.Score).ToArray())];
        int[] free = [.. Enumerable.Range(0, layers.Count).Where(i => byDensity[i].Length > 1)];
        WeightShape[] freeShapes = [.. free.Select(i => shapes[i])];
        LayerChoice[] chosen = At(0);
        long Cost(LayerChoice[] choices) => choices.Sum(choice => choice.Cost);
        if (Cost(chosen) > budget)
            throw new DovetailException($"The sparsest patterns of all {layers.Count} layers cost {Cost(chosen)}, and the budget is "
                + $"{budget}. Allow sparser patterns or a larger budget.");
        double low = 0, high = 1;
        if (Cost(At(1)) <= budget)
            return UniformAllocation.Result(layers, At(1));
        for (int step = 0; step < 60; step++)
        {
            double middle = (low + high) / 2;
            LayerChoice[] candidate = At(middle);
            if (Cost(candidate) > budget)
                high = middle;
            else
                (low, chosen) = (middle, candidate);
        }

        return UniformAllocation.Result(layers, chosen);

        LayerChoice[] At(double density)
        {
            LayerChoice[] choices = [.. byDensity.Select(layer => layer[0])];
            if (density == 0)
                return choices;
            double[] densities = Densities(freeShapes, density);
            for (int i = 0; i < free.Length; i++)
                choices[free[i]] = byDensity[free[i]].LastOrDefault(choice => choice.Pattern.Density <= densities[i] + 1e-12)
                    ?? byDensity[free[i]][0];
            return choices;
        }
    }
}
