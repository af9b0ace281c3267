using System.Diagnostics;
using Dovetail.Core;

namespace Dovetail.Fuzz;

/// <summary>What an input did that it must not.</summary>
/// <param name="Index">Which input of the run: seed and index make it again.</param>
internal sealed record Finding(long Index, string What, byte[] Input);

/// <summary>Figures of a run.</summary>
internal sealed record FuzzResult(
    long Inputs, long Accepted, long Refused, double LongestMilliseconds, double LargestAllocationRatio, IReadOnlyList<Finding> Findings);

/// <summary>Feeds mutated inputs to a target, one after another on this thread; input i depends on (seed, i) alone.</summary>
internal sealed class FuzzRun(FuzzTarget target, int seed)
{
    private const double HangMilliseconds = 2000;

    /// <summary>The input that is being read, for a watchdog.</summary>
    public (long Index, byte[] Input, long StartTimestamp)? Current { get; private set; }

    public byte[] Make(long index)
    {
        var random = new Random(unchecked((int)((uint)seed * 2654435761 ^ (uint)index * 2246822519 ^ (uint)(index >> 32))));
        return target.Repair(Mutator.Mutate(target.Corpus, target.Dictionary, random), random);
    }

    /// <param name="proceed">Asked before each input; false ends the run.</param>
    public FuzzResult Run(long first, long count, Func<long, bool> proceed, int maximumFindings = 20)
    {
        foreach (byte[] valid in target.Corpus)
            Try(-1, valid, new Totals()); // warms up, so that static data are not counted against an input
        var totals = new Totals();
        for (long index = first; index < first + count && totals.Findings.Count < maximumFindings && proceed(index); index++)
            Try(index, Make(index), totals);
        return new FuzzResult(
            totals.Accepted + totals.Refused + totals.Findings.Count, totals.Accepted, totals.Refused, totals.Longest, totals.LargestRatio,
            totals.Findings);
    }

    private void Try(long index, byte[] input, Totals totals)
    {
        byte[] copy = [.. input];
        long start = Stopwatch.GetTimestamp();
        Current = (index, input, start);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string? problem = null;
        bool accepted = false;
        try
        {
            target.Read(input);
            accepted = true;
        }
        catch (DovetailException error) when (error.Message.Length is > 0 and < 2000)
        {
            // as it should
        }
        catch (Exception error)
        {
            problem = $"{error.GetType()}: {error.Message} {error.StackTrace?.Split('\n')[0].Trim()}";
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Current = null;
        if (allocated > target.AllocationLimit(input.Length))
            problem ??= $"{allocated} bytes allocated for {input.Length}";
        if (milliseconds > HangMilliseconds)
            problem ??= $"{milliseconds:F0} ms for {input.Length} bytes";
        if (!copy.AsSpan().SequenceEqual(input))
            problem ??= "the input was changed";
        totals.Longest = Math.Max(totals.Longest, milliseconds);
        totals.LargestRatio = Math.Max(totals.LargestRatio, (double)allocated / target.AllocationLimit(input.Length));
        if (problem is not null)
            totals.Findings.Add(new Finding(index, problem, copy));
        else if (accepted)
            totals.Accepted++;
        else
            totals.Refused++;
    }

    private sealed class Totals
    {
        public long Accepted;
        public long Refused;
        public double Longest;
        public double LargestRatio;
        public List<Finding> Findings { get; } = [];
    }
}
