using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;

namespace Dovetail.Onnx.Inspection;

/// <summary>A weight outside of a pattern: the cell (complementary patterns only) and the weight's place in the matrix.</summary>
internal sealed record MaskFault(int? Cell, int Row, int Column, string Message);

/// <summary>Whether a mask lies inside a pattern, for every family.</summary>
internal static class PatternMatch
{
    /// <summary>Why a pattern does not fit a shape, null where it does.</summary>
    public static string? ReasonAgainst(SparsityPattern pattern, WeightShape shape) => pattern switch
    {
        ComplementaryPattern complementary => PatternFit.ReasonAgainst(shape, complementary),
        BlockPattern block when shape.OutputsPerGroup < block.Height || shape.Channels < block.Width =>
            $"{shape.OutputsPerGroup} outputs × {shape.Channels} channels are less than a block, {block.Height} × {block.Width}",
        RegionPattern regions when regions.Density * regions.RegionCount(shape) < 1 =>
            $"a share of {regions.Density:0.####} of {regions.RegionCount(shape)} is less than one",
        _ => null,
    };

    /// <summary>
    /// True where some mask of the pattern covers all non-zeros. Projection maximizes the score, so with the score 1 at
    /// each non-zero it reaches their number exactly if such a mask exists.
    /// </summary>
    public static bool IsSatisfied(ReadOnlySpan<bool> nonZeros, SparsityPattern pattern, WeightShape shape) =>
        Uncovered(nonZeros, pattern, shape) < 0;

    /// <summary>The first cell with more non-zeros than it may keep, or the first weight outside of the kept regions; null if there is
    /// none.</summary>
    public static MaskFault? FindFault(ReadOnlySpan<bool> nonZeros, SparsityPattern pattern, WeightShape shape)
    {
        if (pattern is ComplementaryPattern complementary)
            return FindFault(nonZeros, new CellLayout(complementary, shape));
        int at = Uncovered(nonZeros, pattern, shape);
        if (at < 0)
            return null;
        (int row, int column) = Math.DivRem(at, shape.Inputs);
        return new MaskFault(null, row, column, $"the non-zeros do not lie inside {pattern}; one that is left over is at row {row}, column "
            + $"{column}");
    }

    private static MaskFault? FindFault(ReadOnlySpan<bool> nonZeros, CellLayout layout)
    {
        int columns = layout.Shape.Inputs;
        for (int cell = 0; cell < layout.CellCount; cell++)
        {
            int found = 0, used = layout.UsedSlots(cell), candidates = layout.CandidateCount(cell);
            (int Row, int Column)? extra = null;
            for (int candidate = 0; candidate < candidates; candidate++)
            {
                (int row, int rowCount, int column) = layout.Candidate(cell, candidate);
                for (int lane = row; lane < row + rowCount; lane++)
                    if (nonZeros[lane * columns + column])
                    {
                        if (++found > used)
                            extra ??= (lane, column);
                        break;
                    }
            }

            if (extra is var (faultRow, faultColumn))
                return new MaskFault(
                    cell, faultRow, faultColumn,
                    $"cell {cell} has {found} non-zero{(found == 1 ? "" : "s")} among {candidates} candidates, and {layout.Pattern} keeps "
                    + $"{used}; the first too many is at row {faultRow}, column {faultColumn}");
        }

        return null;
    }

    private static int Uncovered(ReadOnlySpan<bool> nonZeros, SparsityPattern pattern, WeightShape shape)
    {
        var scores = new float[nonZeros.Length];
        for (int i = 0; i < scores.Length; i++)
            scores[i] = nonZeros[i] ? 1 : 0;
        bool[] mask = Projection.Project(scores, pattern, shape);
        for (int i = 0; i < mask.Length; i++)
            if (nonZeros[i] && !mask[i])
                return i;
        return -1;
    }
}
