using System.Numerics;

namespace Dovetail.Core.Patterns;

/// <summary>
/// How many masks a pattern allows on a shape (docs/patterns.md derives the counts). Cells and regions are chosen
/// independently and each choice is a different mask, so the number is a product of binomials:
/// 1. complementary: Π over cells of C(candidates, min(keep, candidates)); a run of shared outputs counts once;
/// 2. unstructured, block, channel: C(regions, kept).
/// The number of masks is the mask diversity of Hubara et al., NeurIPS 2021.
/// </summary>
public static class Expressiveness
{
    private const double LargestExactBits = 1 << 26;

    /// <summary>log2 of the number of masks, beyond the range of double too.</summary>
    public static double Log2MaskCount(SparsityPattern pattern, WeightShape shape) =>
        Factors(pattern, shape).Sum(factor => factor.Power * Binomials.Log2Choose(factor.N, factor.K));

    /// <summary>The number of masks (mask diversity), exact.</summary>
    /// <exception cref="PatternException">It has more than 2^26 bits: use <see cref="Log2MaskCount"/>.</exception>
    internal static BigInteger CountMasks(SparsityPattern pattern, WeightShape shape)
    {
        double bits = Log2MaskCount(pattern, shape);
        if (bits > LargestExactBits)
            throw new PatternException($"Pattern {pattern} on {shape} has about 2^{bits:F0} masks, too many to write out; take the "
                + "logarithm.");
        return Factors(pattern, shape)
            .Aggregate(BigInteger.One, (product, factor) => product * BigInteger.Pow(Binomials.Choose(factor.N, factor.K), factor.Power));
    }

    /// <summary>log2 of the number of masks per weight of a shape.</summary>
    public static double BitsPerWeight(SparsityPattern pattern, WeightShape shape) => Log2MaskCount(pattern, shape) / shape.Count;

    /// <summary>The same without tails: log2 C(group, keep) / group, divided by the share.</summary>
    public static double BitsPerWeight(ComplementaryPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return Binomials.Log2Choose(pattern.Group, pattern.Keep) / pattern.Group / pattern.Share;
    }

    /// <summary>The bound: bits per weight of large unstructured masks, H(d) = −d·log2 d − (1 − d)·log2(1 − d).</summary>
    internal static double UnstructuredBitsPerWeight(double density)
    {
        if (!(density >= 0 && density <= 1))
            throw new PatternException($"Density is {density}, expected 0 to 1.");
        return density is 0 or 1 ? 0 : -density * Math.Log2(density) - (1 - density) * Math.Log2(1 - density);
    }

    /// <summary>Masks of the pattern, as a logarithm, over unstructured masks of as many non-zeros; 1 where only one mask exists.</summary>
    public static double ShareOfUnstructured(SparsityPattern pattern, WeightShape shape)
    {
        double bound = Binomials.Log2Choose(shape.Count, (int)Math.Round(NonZeroCount(pattern, shape)));
        return bound == 0 ? 1 : Log2MaskCount(pattern, shape) / bound;
    }

    /// <summary>
    /// Non-zeros of a mask. Exact where all masks have as many; where tails make regions unequal
    /// (blocks at an end, a short run among output-axis candidates), the mean over all masks.
    /// </summary>
    public static double NonZeroCount(SparsityPattern pattern, WeightShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (pattern is RegionPattern regions)
            return (double)shape.Count * regions.KeptCount(shape) / regions.RegionCount(shape);
        double count = 0;
        for (var cell = new CellCursor(new CellLayout((ComplementaryPattern)pattern, shape)); cell.MoveNext();)
        {
            int weights = 0;
            for (int i = 0; i < cell.Candidates; i++)
                weights += cell.Lanes(i);
            count += (double)weights * cell.Used / cell.Candidates;
        }

        return count;
    }

    /// <summary>The number of masks as a product of C(N, K)^Power.</summary>
    private static IEnumerable<(int N, int K, int Power)> Factors(SparsityPattern pattern, WeightShape shape)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(shape);
        if (pattern is RegionPattern regions)
            return [(regions.RegionCount(shape), regions.KeptCount(shape), 1)];
        var layout = new CellLayout((ComplementaryPattern)pattern, shape);
        int stride = layout.Pattern.Axis == CellAxis.Input ? 1 : layout.CellsPerRow, lines = layout.CellCount / layout.CellsPerAxis;
        return Enumerable.Range(0, layout.CellsPerAxis)
            .Select(j => layout.CandidateCount(j * stride))
            .GroupBy(candidates => candidates)
            .Select(cells => (cells.Key, Math.Min(layout.Pattern.Keep, cells.Key), cells.Count() * lines));
    }
}
