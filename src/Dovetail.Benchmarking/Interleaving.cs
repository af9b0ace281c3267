using System.Diagnostics;

namespace Dovetail.Benchmarking;

/// <summary>
/// Measures several things in turn, so that a disturbance of the machine meets all of them.
/// 1. Each warms up; the best of these runs says how many make a block of about 5 ms.
/// 2. Blocks follow each other, A B C A B C. The first run of a block of several is not counted: it finds the others'
///    data in the caches.
/// </summary>
internal static class Interleaving
{
    private const double BlockMicroseconds = 5_000;
    private const double WarmUpShare = 0.25;
    private const int WarmUpRuns = 5;
    private const int LeastBlocks = 5;

    /// <param name="runs">Each runs once and returns the microseconds that it took.</param>
    /// <param name="seconds">For all of them together, after warm-up; at least 5 blocks of each.</param>
    /// <param name="isBounded">Warm-up counts in these seconds, and one block of each is enough.</param>
    public static Timing[] Measure(
        IReadOnlyList<Func<double>> runs, double seconds, CancellationToken cancellation, bool isBounded = false)
    {
        long start = Stopwatch.GetTimestamp();
        double warmUp = isBounded ? seconds * WarmUpShare / runs.Count : double.PositiveInfinity;
        int[] blockRuns = [.. runs.Select(run => BlockRuns(run, warmUp, Math.Max(1, seconds * 1e6 / runs.Count)))];
        List<double>[] times = [.. runs.Select(_ => new List<double>())];
        if (!isBounded)
            start = Stopwatch.GetTimestamp();
        for (int block = 0; block < (isBounded ? 1 : LeastBlocks) || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; block++)
            for (int i = 0; i < runs.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                RunBlock(runs[i], blockRuns[i], times[i]);
            }

        return [.. times.Select(Timing.From)];
    }

    private static void RunBlock(Func<double> run, int runs, List<double> times)
    {
        double coldRun = run();
        if (runs == 1)
            times.Add(coldRun);
        for (int i = 1; i < runs; i++)
            times.Add(run());
    }

    /// <param name="seconds">After which no further warm-up run begins.</param>
    /// <param name="most">Microseconds of a block, where 5 ms are more than there is time for.</param>
    private static int BlockRuns(Func<double> run, double seconds, double most)
    {
        double best = double.PositiveInfinity;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < WarmUpRuns && (i == 0 || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds); i++)
            best = Math.Min(best, run());
        double block = double.IsPositiveInfinity(seconds) ? BlockMicroseconds : Math.Min(BlockMicroseconds, most);
        return (int)Math.Clamp(block / best, 1, 1000);
    }
}
