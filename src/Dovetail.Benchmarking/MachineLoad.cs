using System.Globalization;

namespace Dovetail.Benchmarking;

/// <summary>Whether other work takes processors from a measurement. Medians are then of a disturbed machine; 10th percentiles less so.</summary>
public static class MachineLoad
{
    private const string File = "/proc/loadavg";

    /// <summary>So much more than fits is noise: the average also holds the end of whatever ran before, such as the last measurement.</summary>
    private const double Slack = 0.5;

    /// <summary>Processes that ran or waited to run, averaged over the last minute; null where the system does not say.</summary>
    public static double? Average
    {
        get
        {
            try
            {
                return double.Parse(System.IO.File.ReadAllText(File).Split(' ')[0], CultureInfo.InvariantCulture);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
            {
                return null;
            }
        }
    }

    /// <summary>A sentence where fewer processors are free than a measurement takes; else null.</summary>
    /// <param name="average">Before the measurement began.</param>
    /// <param name="threads">Of the measurement.</param>
    public static string? Note(double? average, int processors, int threads) =>
        average is { } load && load > Math.Max(processors - threads, 0) + Slack
            ? string.Create(CultureInfo.InvariantCulture, $"This machine is busy (load {load:0.0} on {processors} core{(processors == 1 ? "" : "s")}, and the measurement takes {threads}): compare the p10 columns.")
            : null;
}
