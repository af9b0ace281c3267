namespace Dovetail.Benchmarks;

/// <summary>Memory over time, taken when no session is alive, and how fast it grows once warm-up is over.</summary>
internal sealed class MemorySeries
{
    private readonly List<(double Seconds, long HeapBytes, long ResidentBytes)> _samples = [];

    /// <summary>Collects garbage, then notes the managed heap and the resident set.</summary>
    public (double HeapMegabytes, double ResidentMegabytes) Sample(double seconds)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long heap = GC.GetTotalMemory(forceFullCollection: true), resident = Environment.WorkingSet;
        _samples.Add((seconds, heap, resident));
        return (heap / 1e6, resident / 1e6);
    }

    /// <summary>Growth from the end of warm-up to the last sample, along the least-squares line.</summary>
    /// <param name="warmUpSeconds">Samples before are left out.</param>
    /// <returns>Bytes over the whole time and bytes an hour, of the managed heap and of the resident set.</returns>
    public (Growth Heap, Growth Resident) After(double warmUpSeconds)
    {
        var late = _samples.Where(sample => sample.Seconds >= warmUpSeconds).ToList();
        return (Fit([.. late.Select(s => (s.Seconds, (double)s.HeapBytes))]), Fit([.. late.Select(s => (s.Seconds, (double)s.ResidentBytes))]));
    }

    private static Growth Fit((double X, double Y)[] points)
    {
        if (points.Length < 3)
            return new Growth(0, 0, points.Length);
        double meanX = points.Average(p => p.X), meanY = points.Average(p => p.Y);
        double slope = points.Sum(p => (p.X - meanX) * (p.Y - meanY)) / points.Sum(p => (p.X - meanX) * (p.X - meanX));
        return new Growth(slope * (points[^1].X - points[0].X), slope * 3600, points.Length);
    }
}

/// <summary>A straight line through samples.</summary>
internal sealed record Growth(double TotalBytes, double BytesPerHour, int Samples);
