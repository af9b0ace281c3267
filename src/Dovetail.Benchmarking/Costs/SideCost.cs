namespace Dovetail.Benchmarking.Costs;

/// <summary>
/// How long one way of running layers takes: time = node + products / rate + weight, input and output bytes / bandwidths.
/// The five constants are fitted to measured layers, none of them negative, so that the sum of squared relative errors is least
/// (relative: a layer of 5 µs has to be as right as one of 5 ms).
/// </summary>
public sealed record SideCost(
    double NodeMicroseconds, double MicrosecondsPerMegaproduct, double MicrosecondsPerWeightMegabyte, double MicrosecondsPerInputMegabyte,
    double MicrosecondsPerOutputMegabyte)
{
    private const int Rounds = 20_000;

    public double Microseconds(LayerWork work) =>
        NodeMicroseconds + (MicrosecondsPerMegaproduct * work.Products + MicrosecondsPerWeightMegabyte * work.WeightBytes
            + MicrosecondsPerInputMegabyte * work.InputBytes + MicrosecondsPerOutputMegabyte * work.OutputBytes) / 1e6;

    /// <summary>Whether this can come from a measurement: no constant is negative, infinite or not a number.</summary>
    public bool IsSound() =>
        new[] { NodeMicroseconds, MicrosecondsPerMegaproduct, MicrosecondsPerWeightMegabyte, MicrosecondsPerInputMegabyte,
        MicrosecondsPerOutputMegabyte }
        .All(constant => constant >= 0 && double.IsFinite(constant));

    /// <summary>Coordinate descent: the problem is convex, and each constant in turn has a closed form.</summary>
    /// <param name="measured">Layers and their microseconds, at least one.</param>
    public static SideCost Fit(IReadOnlyList<(LayerWork Work, double Microseconds)> measured)
    {
        ArgumentNullException.ThrowIfNull(measured);
        ArgumentOutOfRangeException.ThrowIfZero(measured.Count);
        // Rows are divided by their time: the right side is 1 and residuals are relative errors.
        double[][] rows = [.. measured.Select(layer => (double[])[
            1 / layer.Microseconds, layer.Work.Products / 1e6 / layer.Microseconds,
            layer.Work.WeightBytes / 1e6 / layer.Microseconds, layer.Work.InputBytes / 1e6 / layer.Microseconds,
            layer.Work.OutputBytes / 1e6 / layer.Microseconds])];
        var constants = new double[5];
        double[] squares = [.. constants.Select((_, i) => rows.Sum(row => row[i] * row[i]))];
        double[] residuals = [.. rows.Select(_ => 1.0)];
        for (int round = 0; round < Rounds; round++)
            for (int i = 0; i < constants.Length; i++)
            {
                if (squares[i] == 0)
                    continue;
                double along = 0;
                for (int r = 0; r < rows.Length; r++)
                    along += rows[r][i] * residuals[r];
                double step = Math.Max(-constants[i], along / squares[i]);
                constants[i] += step;
                for (int r = 0; r < rows.Length; r++)
                    residuals[r] -= step * rows[r][i];
            }

        return new SideCost(constants[0], constants[1], constants[2], constants[3], constants[4]);
    }
}
