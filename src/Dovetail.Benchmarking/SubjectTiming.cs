namespace Dovetail.Benchmarking;

/// <summary>How a subject did.</summary>
/// <param name="Latency">Of one call.</param>
/// <param name="RunsPerSecond">Calls completed a second; one call at a time: by the median.</param>
public sealed record SubjectTiming(string Name, double LoadMilliseconds, Timing Latency, double RunsPerSecond);
