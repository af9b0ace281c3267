namespace Dovetail.Core.Patterns;

/// <summary>
/// The best mask of a pattern for given scores.
/// 1. A candidate's score is the sum of the scores of its weights (one weight unless owners are shared).
/// 2. Cells are independent, so the sum over the mask is greatest where each cell keeps its
///    min(keep, candidates) greatest candidates.
/// 3. Ties go to the lower candidate, so the result does not depend on the machine.
/// </summary>
public static class Projection
{
    /// <summary>Projects onto a pattern. Infinities are ordered as usual.</summary>
    /// <param name="scores">Scores in matrix order [outputs, taps·channels].</param>
    /// <param name="layout">The pattern on the weights' shape.</param>
    /// <returns>The mask in matrix order: true where a weight is kept.</returns>
    /// <exception cref="PatternException">A score is NaN, or the buffer does not fit the shape.</exception>
    public static bool[] Project(ReadOnlySpan<float> scores, CellLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (scores.Length != layout.Shape.Count)
            throw new PatternException($"{scores.Length} scores were given for weights of shape {layout.Shape}, expected {layout.Shape.Count}.");
        var mask = new bool[scores.Length];
        Span<double> cellScores = stackalloc double[layout.Pattern.Group];
        for (int cell = 0; cell < layout.CellCount; cell++)
        {
            int candidates = layout.CandidateCount(cell);
            for (int i = 0; i < candidates; i++)
                cellScores[i] = CandidateScore(scores, layout, cell, i);
            int used = layout.UsedSlots(cell);
            for (int slot = 0; slot < used; slot++)
            {
                int best = ArgMax(cellScores[..candidates]);
                cellScores[best] = double.NaN; // taken: never greater than anything again
                (int row, int rowCount, int column) = layout.Candidate(cell, best);
                for (int r = row; r < row + rowCount; r++)
                    mask[r * layout.Shape.Inputs + column] = true;
            }
        }

        return mask;
    }

    private static double CandidateScore(ReadOnlySpan<float> scores, CellLayout layout, int cell, int candidate)
    {
        (int row, int rowCount, int column) = layout.Candidate(cell, candidate);
        double sum = 0;
        for (int r = row; r < row + rowCount; r++)
        {
            float score = scores[r * layout.Shape.Inputs + column];
            if (float.IsNaN(score))
                throw new PatternException($"The score of weight [{r}, {column}] is NaN; expected numbers. A training that diverged leaves such weights.");
            sum += score;
        }

        return sum;
    }

    private static int ArgMax(ReadOnlySpan<double> values)
    {
        int best = -1;
        for (int i = 0; i < values.Length; i++)
            if (!double.IsNaN(values[i]) && (best < 0 || values[i] > values[best]))
                best = i;
        return best;
    }
}
