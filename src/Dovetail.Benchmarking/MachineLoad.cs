using System.Diagnostics;
using System.Globalization;

namespace Dovetail.Benchmarking;

/// <summary>
/// Whether other work takes processors from a measurement: watched for a moment before it and after it, while this process
/// waits. (The load average also holds what ran before, as the last measurement.) Medians are of a disturbed machine then;
/// 10th percentiles less so.
/// </summary>
/// <param name="Busy">Processors that others keep busy.</param>
/// <param name="Processors">Of the machine, which may have more than this process.</param>
public sealed record MachineLoad(double Busy, int Processors)
{
    private const string AverageFile = "/proc/loadavg", TimesFile = "/proc/stat";

    /// <summary>So much is noise: the clock ticks a hundredth of a second, and a system is never quite idle.</summary>
    private const double Slack = 0.25;

    private static readonly TimeSpan s_watch = TimeSpan.FromMilliseconds(250);

    /// <summary>Processes that ran or waited to run, averaged over the last minute; null where the system does not say.</summary>
    public static double? Average =>
        double.TryParse(Read(AverageFile)?.Split(' ')[0], CultureInfo.InvariantCulture, out double average) ? average : null;

    /// <summary>Watches the machine for a quarter of a second; null where the system does not say.</summary>
    /// <param name="seconds">Of a whole measurement: watching takes a twentieth of it at most.</param>
    public static MachineLoad? Watch(double seconds = double.PositiveInfinity)
    {
        using var self = Process.GetCurrentProcess();
        TimeSpan own = self.TotalProcessorTime;
        if (Read(TimesFile) is not { } before)
            return null;
        long start = Stopwatch.GetTimestamp();
        Thread.Sleep(TimeSpan.FromSeconds(Math.Min(s_watch.TotalSeconds, seconds / 20)));
        if (Read(TimesFile) is not { } after)
            return null;
        self.Refresh();
        return Between(before, after, (self.TotalProcessorTime - own) / Stopwatch.GetElapsedTime(start));
    }

    /// <summary>The load between two readings of /proc/stat.</summary>
    /// <param name="own">Processors that this process kept busy meanwhile.</param>
    /// <returns>Null where the texts are not such readings, or no time passed between them.</returns>
    public static MachineLoad? Between(string before, string after, double own)
    {
        if (Times(before) is not var (busyBefore, allBefore) || Times(after) is not var (busyAfter, allAfter) || allAfter <= allBefore)
            return null;
        int processors = after.Split('\n').Count(line => line is ['c', 'p', 'u', >= '0' and <= '9', ..]);
        double busy = processors * (double)(busyAfter - busyBefore) / (allAfter - allBefore);
        return processors == 0 ? null : new MachineLoad(Math.Max(0, busy - own), processors);
    }

    /// <summary>The busier of two looks; null where there is neither.</summary>
    public static MachineLoad? Greater(MachineLoad? first, MachineLoad? second) =>
        first is null ? second : second is null || first.Busy >= second.Busy ? first : second;

    /// <summary>A sentence where fewer processors are free than a measurement takes; else null.</summary>
    /// <param name="threads">Of the measurement.</param>
    public string? Note(int threads) => Busy > Math.Max(Processors - threads, 0) + Slack
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"This machine is busy (other work takes {Busy:0.0} of {Processors} core{(Processors == 1 ? "" : "s")}, "
            + $"and the measurement {threads}): compare the p10 columns.")
        : null;

    // "cpu  user nice system idle iowait irq softirq steal guest guest_nice": guests' time is in user and nice already.
    private static (long Busy, long All)? Times(string text)
    {
        string[] words = text.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is not ["cpu", ..] || words.Length < 6)
            return null;
        long[] ticks = new long[Math.Min(words.Length - 1, 8)];
        for (int i = 0; i < ticks.Length; i++)
            if (!long.TryParse(words[i + 1], CultureInfo.InvariantCulture, out ticks[i]))
                return null;
        long all = ticks.Sum();
        return (all - ticks[3] - ticks[4], all);
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
