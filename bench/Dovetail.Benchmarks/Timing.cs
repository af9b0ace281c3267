using System.Diagnostics;

namespace Dovetail.Benchmarks;

/// <summary>Two actions in turn, so that a change of clock or load meets both; least and median of many rounds.</summary>
internal sealed record Timing(double BestMilliseconds, double MedianMilliseconds)
{
    public static Timing[] Of(int rounds, params Action[] actions)
    {
        var times = new double[actions.Length][];
        for (int i = 0; i < actions.Length; i++)
        {
            times[i] = new double[rounds];
            actions[i](); // code, caches, pages
        }

        for (int round = 0; round < rounds; round++)
            for (int i = 0; i < actions.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                actions[i]();
                times[i][round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

        return [.. times.Select(Summarize)];
    }

    private static Timing Summarize(double[] times)
    {
        Array.Sort(times);
        return new Timing(times[0], times[times.Length / 2]);
    }

    public override string ToString() => $"{BestMilliseconds,8:F2} / {MedianMilliseconds,8:F2}";
}
