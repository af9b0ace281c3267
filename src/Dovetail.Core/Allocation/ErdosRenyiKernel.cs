using Dovetail.Core.Patterns;

namespace Dovetail.Core.Allocation;

/// <summary>
/// ERK: densities of layers that give a network a global density, larger for smaller layers.
/// 1. A layer's density is ε·Σ dimensions / Π dimensions of [outputs, inputs, spatial…].
/// 2. ε makes the non-zeros of all layers add up to the global share of the weights.
/// 3. A layer whose density would exceed 1 is dense, and ε is found again for the others, until none exceeds 1.
/// Source: Evci et al., Rigging the Lottery, ICML 2020, after Mocanu et al., 2018.
/// </summary>
public static class ErdosRenyiKernel
{
    /// <returns>The density of each layer, above 0 and at most 1.</returns>
    /// <exception cref="DovetailException">The global density is not above 0 and at most 1.</exception>
    public static double[] Densities(IReadOnlyList<WeightShape> layers, double density)
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
}
