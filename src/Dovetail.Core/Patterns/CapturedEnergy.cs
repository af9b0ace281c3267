namespace Dovetail.Core.Patterns;

/// <summary>
/// The share of Σw² that a mask keeps, 0 to 1: how well weights fit a pattern before any training. The best
/// mask of a pattern is the projection of w².
/// </summary>
public static class CapturedEnergy
{
    /// <summary>Of a given mask. Weights that are all zero count as kept.</summary>
    public static double Of(ReadOnlySpan<float> weights, ReadOnlySpan<bool> mask)
    {
        if (weights.Length != mask.Length)
            throw new PatternException($"{weights.Length} weights and a mask of {mask.Length} were given, expected as many.");
        double all = 0, kept = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            double energy = (double)weights[i] * weights[i];
            all += energy;
            if (mask[i])
                kept += energy;
        }

        return all == 0 ? 1 : kept / all;
    }

    /// <summary>Of the best mask of a pattern.</summary>
    /// <param name="weights">Matrix order.</param>
    /// <exception cref="PatternException">A weight is NaN.</exception>
    public static double Of(ReadOnlySpan<float> weights, SparsityPattern pattern, WeightShape shape)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var energies = new float[weights.Length];
        for (int i = 0; i < weights.Length; i++)
            energies[i] = weights[i] * weights[i];
        return Of(weights, Projection.Project(energies, pattern, shape));
    }

    /// <summary>On independent standard normal weights: what a pattern keeps of weights that do not know of it.</summary>
    /// <param name="shape">512 × 512 unless given: ±0.001 of the limit for small cells.</param>
    public static double OnGaussian(SparsityPattern pattern, int seed, WeightShape? shape = null)
    {
        shape ??= WeightShape.Matrix(512, 512);
        return Of(GaussianWeights.Create(shape.Count, seed), pattern, shape);
    }
}
