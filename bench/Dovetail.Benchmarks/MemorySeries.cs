namespace Dovetail.Benchmarks;

/// <summary>Memory at one time, in bytes.</summary>
/// <param name="Seconds">Since the start.</param>
/// <param name="Heap">Managed, after a collection.</param>
/// <param name="Native">Unmanaged and in use; 0 where the allocator does not tell.</param>
/// <param name="Resident">The process's resident set, free pages given back.</param>
internal sealed record MemorySample(double Seconds, long Heap, long Native, long Resident);

/// <summary>Memory over time, taken when no session is alive, and how much it grows once warm-up is over.</summary>
internal sealed class MemorySeries
{
    private readonly List<MemorySample> _samples = [];

    public MemorySample Sample(double seconds)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        NativeHeap.Trim();
        _samples.Add(new MemorySample(seconds, heap, NativeHeap.BytesInUse ?? 0, Environment.WorkingSet));
        return _samples[^1];
    }

    /// <summary>Bytes from the end of warm-up to the last sample, along the least-squares line; null with fewer than 3 samples.</summary>
    /// <param name="warmUpSeconds">Samples before are left out.</param>
    /// <param name="quantity">Which of a sample's.</param>
    public double? Growth(double warmUpSeconds, Func<MemorySample, long> quantity)
    {
        MemorySample[] late = [.. _samples.Where(sample => sample.Seconds >= warmUpSeconds)];
        if (late.Length < 3)
            return null;
        double meanX = late.Average(s => s.Seconds), meanY = late.Average(s => (double)quantity(s));
        double slope = late.Sum(s => (s.Seconds - meanX) * (quantity(s) - meanY)) / late.Sum(
            s => (s.Seconds - meanX) * (s.Seconds - meanX));
        return slope * (late[^1].Seconds - late[0].Seconds);
    }
}
