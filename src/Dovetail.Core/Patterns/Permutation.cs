namespace Dovetail.Core.Patterns;

/// <summary>How long to look for a better order.</summary>
/// <param name="MaxEvaluations">Exchanges to weigh; the bound of the search's time, so that equal seeds give equal orders.</param>
/// <param name="Seed">Order in which entries are tried.</param>
/// <param name="TimeLimit">Stops earlier, at the next entry; equal seeds then no longer give equal orders. Null: no limit.</param>
public sealed record PermutationOptions(long MaxEvaluations = 200_000, int Seed = 1, TimeSpan? TimeLimit = null);

/// <summary>Where a search stood: captured score against effort.</summary>
public sealed record PermutationProgress(TimeSpan Elapsed, long Evaluations, double Score);

/// <summary>An order and what it gains.</summary>
/// <param name="Order">
/// Entry p of the new order is entry Order[p] of the old. Input axis: input channels, counted over all convolution
/// groups; output axis: outputs. Nothing leaves its convolution group.
/// </param>
/// <param name="ScoreBefore">Total score of the best mask as the weights stand.</param>
/// <param name="ScoreAfter">The same in the new order.</param>
/// <param name="IsLocalOptimum">True where no exchange of two entries would gain anything; false where the search was cut short.</param>
/// <param name="Progress">The start, each sweep, and the end.</param>
public sealed record PermutationResult(
    int[] Order, double ScoreBefore, double ScoreAfter, long Evaluations, bool IsLocalOptimum, IReadOnlyList<PermutationProgress> Progress)
{
    /// <summary>Relative gain of captured score.</summary>
    public double Gain => ScoreBefore == 0 ? 0 : ScoreAfter / ScoreBefore - 1;

    /// <summary>Weights (matrix order) in the new order.</summary>
    public T[] Apply<T>(ReadOnlySpan<T> weights, CellLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        WeightShape shape = layout.Shape;
        bool input = layout.Pattern.Axis == CellAxis.Input;
        if (weights.Length != shape.Count || Order.Length != (input ? shape.Groups * shape.Channels : shape.Outputs))
            throw new PatternException($"An order of {Order.Length} entries and {weights.Length} weights do not fit shape {shape}.");
        var result = new T[weights.Length];
        for (int row = 0, at = 0; row < shape.Outputs; row++)
        {
            int firstChannel = row / shape.OutputsPerGroup * shape.Channels;
            for (int tap = 0; tap < shape.Taps; tap++)
                for (int channel = 0; channel < shape.Channels; channel++, at++)
                    result[at] = input
                        ? weights[row * shape.Inputs + tap * shape.Channels + Order[firstChannel + channel] - firstChannel]
                        : weights[Order[row] * shape.Inputs + tap * shape.Channels + channel];
        }

        return result;
    }
}
