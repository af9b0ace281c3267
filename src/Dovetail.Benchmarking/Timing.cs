namespace Dovetail.Benchmarking;

/// <summary>Wall-clock times of one run, over <paramref name="Runs"/> runs.</summary>
/// <param name="MedianMicroseconds">The median.</param>
/// <param name="P10Microseconds">The 10th percentile: near what an undisturbed machine does.</param>
/// <param name="P90Microseconds">The 90th percentile: far above the median means a disturbed measurement.</param>
/// <param name="P99Microseconds">The 99th percentile: what a caller meets now and then.</param>
public sealed record Timing(int Runs, double MedianMicroseconds, double P10Microseconds, double P90Microseconds, double P99Microseconds)
{
    internal static Timing From(List<double> microseconds)
    {
        microseconds.Sort();
        return new Timing(microseconds.Count, At(microseconds, 0.5), At(microseconds, 0.1), At(microseconds, 0.9), At(microseconds, 0.99));
    }

    private static double At(List<double> sorted, double share) => sorted[(int)(share * (sorted.Count - 1))];
}
