using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Inspection;

/// <summary>
/// The pattern that non-zeros look trained under.
/// 1. For every way to cut the matrix into cells (share, axis, arrangement, group) the smallest keep that covers
///    all non-zeros is the greatest number of non-zero candidates of a cell. Whole outputs are one more way.
/// 2. Fill is non-zeros / places of that pattern. Chance leaves cells unequal, so its fill is low (0.75 for
///    half of the weights in cells of 256); weights trained under a pattern fill it but for a few zero values.
/// 3. Of the patterns with enough fill that leave a quarter or more of the weights out, the fullest is taken; of
///    equally full ones that with the fewest masks, because 1:16 also lies inside 2:32 and 4:64.
/// </summary>
internal static class PatternDetection
{
    private const double LeastFill = 0.9, MostDensity = 0.75;

    private static readonly int[] Shares = [1, 2, 4, 8, 16];
    private static readonly int[] Groups = [2, 4, 8, 16, 32, 64, 128, 256];

    /// <returns>Null where no pattern stands out.</returns>
    public static SparsityPattern? Find(bool[] nonZeros, WeightShape shape)
    {
        int count = nonZeros.AsSpan().Count(true);
        if (count == 0 || count > MostDensity * nonZeros.Length)
            return null;
        (SparsityPattern Pattern, double Fill, double Masks)? best = null;
        foreach (SparsityPattern pattern in Candidates(nonZeros, shape).Where(pattern => pattern.Density <= MostDensity))
        {
            double fill = count / Expressiveness.NonZeroCount(pattern, shape);
            if (fill < LeastFill || (best is { } known && fill < known.Fill))
                continue;
            double masks = Expressiveness.Log2MaskCount(pattern, shape);
            if (best is null || fill > best.Value.Fill || masks < best.Value.Masks)
                best = (pattern, fill, masks);
        }

        return best?.Pattern;
    }

    private static IEnumerable<SparsityPattern> Candidates(bool[] nonZeros, WeightShape shape)
    {
        foreach (int share in Shares.Where(share => share <= shape.OutputsPerGroup))
        {
            int runsPerGroup = (shape.OutputsPerGroup - 1) / share + 1;
            List<(int Run, int Column)> places = Places(nonZeros, shape, share, runsPerGroup);
            foreach (CellAxis axis in (CellAxis[])[CellAxis.Input, CellAxis.Output])
                foreach (int group in Groups.Where(group => group <= (axis == CellAxis.Input ? shape.Channels : runsPerGroup)))
                    foreach (Arrangement arrangement in (Arrangement[])[Arrangement.Contiguous, Arrangement.Strided])
                        yield return new ComplementaryPattern(
                            SmallestKeep(places, shape, runsPerGroup, axis, arrangement, group), group, axis, arrangement, share);
        }

        int rows = Enumerable.Range(0, shape.Outputs).Count(row => nonZeros.AsSpan(row * shape.Inputs, shape.Inputs).Contains(true));
        yield return new ChannelPattern((double)rows / shape.Outputs);
    }

    /// <summary>The candidates with a non-zero: a run of outputs (counted over all convolution groups) and a column.</summary>
    private static List<(int Run, int Column)> Places(bool[] nonZeros, WeightShape shape, int share, int runsPerGroup)
    {
        var places = new List<(int, int)>();
        var taken = new int[shape.Inputs]; // the last run, plus one, that has a non-zero in the column
        for (int row = 0, at = 0; row < shape.Outputs; row++)
        {
            int run = row / shape.OutputsPerGroup * runsPerGroup + row % shape.OutputsPerGroup / share;
            for (int column = 0; column < shape.Inputs; column++, at++)
                if (nonZeros[at] && taken[column] != run + 1)
                {
                    taken[column] = run + 1;
                    places.Add((run, column));
                }
        }

        return places;
    }

    private static int SmallestKeep(
        List<(int Run, int Column)> places, WeightShape shape, int runsPerGroup, CellAxis axis, Arrangement arrangement, int group)
    {
        int length = axis == CellAxis.Input ? shape.Channels : runsPerGroup, cells = (length - 1) / group + 1;
        var counts = axis == CellAxis.Input
            ? new int[runsPerGroup * shape.Groups * shape.Taps * cells]
            : new int[shape.Groups * cells * shape.Inputs];
        int greatest = 0;
        foreach ((int run, int column) in places)
        {
            int entry = axis == CellAxis.Input ? column % shape.Channels : run % runsPerGroup;
            int j = arrangement == Arrangement.Contiguous ? entry / group : entry % cells;
            int cell = axis == CellAxis.Input
                ? (run * shape.Taps + column / shape.Channels) * cells + j
                : (run / runsPerGroup * cells + j) * shape.Inputs + column;
            greatest = Math.Max(greatest, ++counts[cell]);
        }

        return greatest;
    }
}
