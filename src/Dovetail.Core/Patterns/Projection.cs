using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Dovetail.Core.Patterns;

/// <summary>
/// The best mask of a pattern for given scores: no other mask of the family has a greater total score.
/// 1. A candidate's score is the sum of the scores of its weights (one weight unless owners are shared), in
///    double with a bound of its error, and exactly where the bound leaves the choice open (<see cref="ExtendedSum"/>).
/// 2. Cells are independent, so the sum over the mask is greatest where each cell keeps its
///    min(keep, candidates) greatest candidates (<see cref="TopCandidates"/>).
/// 3. Ties go to the lower candidate, so the result does not depend on the machine.
/// 4. Infinities are ordered as usual. Where a shared candidate has some, what counts first is how many more
///    +∞ than −∞ it has, and then its finite sum: never ∞ − ∞.
/// </summary>
public static class Projection
{
    /// <summary>Projects onto a complementary pattern.</summary>
    /// <param name="scores">Scores in matrix order [outputs, taps·channels].</param>
    /// <param name="layout">The pattern on the weights' shape.</param>
    /// <returns>The mask in matrix order: true where a weight is kept.</returns>
    /// <exception cref="PatternException">A score is NaN, or the buffer does not fit the shape.</exception>
    public static bool[] Project(ReadOnlySpan<float> scores, CellLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        CheckLength(scores.Length, layout.Shape);
        var mask = new bool[scores.Length];
        if (layout.Pattern.Share == 1)
            ProjectWeights(scores, layout, mask);
        else
            ProjectRuns(scores, layout, mask);
        return mask;
    }

    /// <summary>Projects onto a pattern of any family.</summary>
    /// <param name="scores">Scores in matrix order [outputs, taps·channels].</param>
    /// <returns>The mask in matrix order: true where a weight is kept.</returns>
    /// <exception cref="PatternException">A score is NaN, or the buffer does not fit the shape.</exception>
    public static bool[] Project(ReadOnlySpan<float> scores, SparsityPattern pattern, WeightShape shape)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(shape);
        CheckLength(scores.Length, shape);
        return pattern switch
        {
            ComplementaryPattern complementary => Project(scores, new CellLayout(complementary, shape)),
            RegionPattern regions => RegionProjection.Project(scores, regions, shape),
            _ => throw new PatternException($"There is no projection onto {pattern}."),
        };
    }

    /// <summary>The mask of the greatest magnitudes, |w| as score.</summary>
    /// <param name="weights">Matrix order [outputs, taps·channels].</param>
    /// <exception cref="PatternException">A weight is NaN, or the buffer does not fit the shape.</exception>
    public static bool[] ByMagnitude(ReadOnlySpan<float> weights, CellLayout layout)
    {
        var magnitudes = new float[weights.Length];
        for (int i = 0; i < magnitudes.Length; i++)
            magnitudes[i] = MathF.Abs(weights[i]);
        return Project(magnitudes, layout);
    }

    internal static PatternException NotANumber(int at, WeightShape shape) =>
        new($"The score of weight [{at / shape.Inputs}, {at % shape.Inputs}] is NaN; expected numbers. A training that diverged leaves "
            + "such weights.");

    private static void CheckLength(int length, WeightShape shape)
    {
        if (length != shape.Count)
            throw new PatternException($"{length} scores were given for weights of shape {shape}, expected {shape.Count}.");
    }

    private static void ProjectWeights(ReadOnlySpan<float> scores, CellLayout layout, bool[] mask)
    {
        Span<int> keys = stackalloc int[TopCandidates.MaxCount];
        Span<ulong> kept = stackalloc ulong[TopCandidates.MaskWords];
        int filled = 0;
        for (var cell = new CellCursor(layout); cell.MoveNext();)
        {
            int count = cell.Candidates;
            if (count < filled)
                keys[count..].Fill(int.MinValue); // behind a tail cell
            else if (filled == 0)
                keys.Fill(int.MinValue);
            filled = count;
            int bad = cell.Step == 1
                ? LoadKeys(scores.Slice(cell.Base, count), keys)
                : LoadKeys(scores, cell.Base, cell.Step, keys[..count]);
            if (bad >= 0)
                throw NotANumber(cell.Base + bad * cell.Step, layout.Shape);
            TopCandidates.Select(keys, count, cell.Used, kept);
            for (int word = 0; word <= count - 1 >> 6; word++)
                for (ulong bits = kept[word]; bits != 0; bits &= bits - 1)
                    mask[cell.Base + (word * 64 + BitOperations.TrailingZeroCount(bits)) * cell.Step] = true;
        }
    }

    /// <summary>Keys of neighbours; returns the first NaN or −1.</summary>
    private static int LoadKeys(ReadOnlySpan<float> scores, Span<int> keys)
    {
        int i = 0;
        for (; i + Vector512<float>.Count <= scores.Length; i += Vector512<float>.Count)
        {
            Vector512<float> values = Vector512.Create(scores[i..]) + Vector512<float>.Zero;
            if (!Vector512.EqualsAll(values, values))
                break;
            Vector512<int> bits = values.AsInt32();
            (bits ^ (bits >> 31 & Vector512.Create(int.MaxValue))).CopyTo(keys[i..]);
        }

        for (; i < scores.Length; i++)
        {
            if (float.IsNaN(scores[i]))
                return i;
            keys[i] = TopCandidates.Key(scores[i]);
        }

        return -1;
    }

    private static int LoadKeys(ReadOnlySpan<float> scores, int start, int step, Span<int> keys)
    {
        ref readonly float origin = ref scores[start];
        _ = scores[start + (keys.Length - 1) * step];
        for (int i = 0; i < keys.Length; i++)
        {
            float score = System.Runtime.CompilerServices.Unsafe.Add(ref MemoryMarshal.GetReference(scores), start + i * step);
            if (float.IsNaN(score))
                return i;
            keys[i] = TopCandidates.Key(score);
        }

        return -1;
    }

    private static void ProjectRuns(ReadOnlySpan<float> scores, CellLayout layout, bool[] mask)
    {
        int columns = layout.Shape.Inputs;
        var sums = new ExtendedSum[TopCandidates.MaxCount];
        Span<long> keys = stackalloc long[TopCandidates.MaxCount];
        Span<ulong> kept = stackalloc ulong[TopCandidates.MaskWords];
        for (var cell = new CellCursor(layout); cell.MoveNext();)
        {
            int count = cell.Candidates;
            keys.Fill(long.MinValue);
            for (int i = 0; i < count; i++)
            {
                var sum = new ExtendedSum();
                int lanes = cell.Lanes(i);
                for (int lane = 0, at = cell.Base + i * cell.Step; lane < lanes; lane++, at += columns)
                {
                    if (float.IsNaN(scores[at]))
                        throw NotANumber(at, layout.Shape);
                    sum.Add(scores[at]);
                }

                sums[i] = sum;
                keys[i] = TopCandidates.Key(sum.Finite);
            }

            TopCandidates.Select(keys, count, cell.Used, kept);
            if (ExtendedSum.IsOpen(sums.AsSpan(0, count), kept))
                SelectExactly(scores, in cell, columns, kept);
            for (int word = 0; word < TopCandidates.MaskWords; word++)
                for (ulong bits = kept[word]; bits != 0; bits &= bits - 1)
                {
                    int candidate = word * 64 + BitOperations.TrailingZeroCount(bits), lanes = cell.Lanes(candidate);
                    for (int lane = 0, at = cell.Base + candidate * cell.Step; lane < lanes; lane++, at += columns)
                        mask[at] = true;
                }
        }
    }

    private static void SelectExactly(ReadOnlySpan<float> scores, in CellCursor cell, int columns, Span<ulong> kept)
    {
        var sums = new ExactSum[cell.Candidates];
        for (int i = 0; i < sums.Length; i++)
        {
            int lanes = cell.Lanes(i);
            for (int lane = 0, at = cell.Base + i * cell.Step; lane < lanes; lane++, at += columns)
                sums[i].Add(scores[at]);
        }

        ExactSum.Select(sums, cell.Used, kept);
    }
}
