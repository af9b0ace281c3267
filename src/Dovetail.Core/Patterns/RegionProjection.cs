namespace Dovetail.Core.Patterns;

/// <summary>
/// The best mask of a pattern that keeps a number of whole regions.
/// 1. A region's score is the sum of its weights' scores (<see cref="ExtendedSum"/>), exact where it matters.
/// 2. The kept regions are the greatest; ties go to the lower region.
/// 3. Single weights: the k-th greatest key is found by two counting passes, over the upper and then the lower
///    16 bits, so the time does not depend on the scores.
/// </summary>
internal static class RegionProjection
{
    internal static bool[] Project(ReadOnlySpan<float> scores, RegionPattern pattern, WeightShape shape) =>
        pattern is UnstructuredPattern
            ? ProjectWeights(scores, pattern.KeptCount(shape), shape)
            : ProjectRegions(scores, pattern, shape);

    private static bool[] ProjectWeights(ReadOnlySpan<float> scores, int keep, WeightShape shape)
    {
        var counts = new int[1 << 16];
        for (int i = 0; i < scores.Length; i++)
        {
            if (float.IsNaN(scores[i]))
                throw Projection.NotANumber(i, shape);
            counts[Ordered(scores[i]) >> 16]++;
        }

        (uint upper, int left) = FindBin(counts, keep);
        Array.Clear(counts);
        foreach (float score in scores)
        {
            uint key = Ordered(score);
            if (key >> 16 == upper)
                counts[key & 0xFFFF]++;
        }

        (uint lower, left) = FindBin(counts, left);
        uint threshold = upper << 16 | lower;
        var mask = new bool[scores.Length];
        for (int i = 0; i < scores.Length; i++)
        {
            uint key = Ordered(scores[i]);
            mask[i] = key > threshold || (key == threshold && left-- > 0);
        }

        return mask;
    }

    /// <summary>The bin that holds the keep-th greatest, and how many of the bin are to be kept.</summary>
    private static (uint Bin, int Left) FindBin(int[] counts, int keep)
    {
        int bin = counts.Length - 1;
        for (; counts[bin] < keep; bin--)
            keep -= counts[bin];
        return ((uint)bin, keep);
    }

    private static uint Ordered(float score) => (uint)TopCandidates.Key(score) ^ 0x80000000;

    private static bool[] ProjectRegions(ReadOnlySpan<float> scores, RegionPattern pattern, WeightShape shape)
    {
        int regions = pattern.RegionCount(shape), keep = pattern.KeptCount(shape);
        var regionOf = new int[scores.Length];
        var sums = new ExtendedSum[regions];
        for (int row = 0, at = 0; row < shape.Outputs; row++)
            for (int column = 0; column < shape.Inputs; column++, at++)
            {
                if (float.IsNaN(scores[at]))
                    throw Projection.NotANumber(at, shape);
                regionOf[at] = pattern.RegionOf(row, column, shape);
                sums[regionOf[at]].Add(scores[at]);
            }

        int[] order = [.. Enumerable.Range(0, regions)];
        Array.Sort(order, (a, b) => sums[a].Finite != sums[b].Finite ? sums[b].Finite.CompareTo(sums[a].Finite) : a.CompareTo(b));
        var kept = new ulong[(regions + 63) / 64];
        foreach (int region in order.AsSpan(0, keep))
            kept[region >> 6] |= 1UL << region;
        if (ExtendedSum.IsOpen(sums, kept))
        {
            var exact = new ExactSum[regions];
            for (int at = 0; at < scores.Length; at++)
                exact[regionOf[at]].Add(scores[at]);
            ExactSum.Select(exact, keep, kept);
        }

        return Array.ConvertAll(regionOf, region => (kept[region >> 6] >> region & 1) != 0);
    }
}
