using System.Diagnostics;

namespace Dovetail.Benchmarking;

/// <summary>
/// Throughput: several callers, each with a thread of its own, call one subject without pause for a block of time; then
/// the next subject has its block, A B A B. A call belongs to the block in which it started.
/// </summary>
internal static class ConcurrentCalls
{
    private const double BlockSeconds = 0.2;
    private const int LeastBlocks = 3;

    /// <param name="isBounded">Warm-up counts in these seconds, and one block of each is enough.</param>
    public static IReadOnlyList<SubjectTiming> Measure(
        IReadOnlyList<IBenchmarkSubject> subjects, int callers, double seconds, bool isBounded, CancellationToken cancellation)
    {
        double blockSeconds = isBounded ? Math.Min(BlockSeconds, seconds / (2 * subjects.Count)) : BlockSeconds;
        long start = Stopwatch.GetTimestamp();
        List<double>[] times = [.. subjects.Select(_ => new List<double>())];
        double[] elapsed = new double[subjects.Count];
        foreach (IBenchmarkSubject subject in subjects) // warm-up
            RunBlock(subject, callers, blockSeconds / 2, []);
        if (!isBounded)
            start = Stopwatch.GetTimestamp();
        for (int block = 0; block < (isBounded ? 1 : LeastBlocks) || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; block++)
            for (int i = 0; i < subjects.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                elapsed[i] += RunBlock(subjects[i], callers, blockSeconds, times[i]);
            }

        return [.. subjects.Select((subject, i) => new SubjectTiming(
            subject.Name, subject.LoadMilliseconds, Timing.From(times[i]), times[i].Count / elapsed[i]))];
    }

    /// <returns>Seconds until the last caller was done.</returns>
    private static double RunBlock(IBenchmarkSubject subject, int callers, double seconds, List<double> times)
    {
        var found = new List<double>[callers];
        var failures = new Exception?[callers];
        using var gate = new Barrier(callers + 1);
        Thread[] threads = [.. Enumerable.Range(0, callers).Select(lane => new Thread(() =>
        {
            var mine = found[lane] = [];
            gate.SignalAndWait();
            long begin = Stopwatch.GetTimestamp();
            try
            {
                do
                    mine.Add(subject.Run(lane));
                while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds);
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                failures[lane] = error;
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        gate.SignalAndWait();
        long start = Stopwatch.GetTimestamp();
        foreach (Thread thread in threads)
            thread.Join();
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (failures.OfType<Exception>().FirstOrDefault() is { } failure)
            throw new BenchmarkException($"A caller of the {subject.Name} network failed: {failure.Message}", failure);
        times.AddRange(found.SelectMany(mine => mine));
        return elapsed;
    }
}
