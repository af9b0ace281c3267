namespace Dovetail.Benchmarking;

/// <summary>A packed network beside its dense one, measured in turn in one process.</summary>
/// <param name="Options">Seconds: that were given for all of them together.</param>
/// <param name="Callers">At once; more than 1 for throughput.</param>
/// <param name="DenseInt8">The dense network quantized; null where none was measured.</param>
/// <param name="NoDenseInt8">Why it was not; null where it was, or nobody asked.</param>
public sealed record NetworkResult(
    BenchmarkOptions Options, int Callers, SubjectTiming Packed, SubjectTiming Dense, SubjectTiming? DenseInt8, string? NoDenseInt8)
{
    /// <summary>All that were measured, the packed network first.</summary>
    public IReadOnlyList<SubjectTiming> Subjects => DenseInt8 is null ? [Packed, Dense] : [Packed, Dense, DenseInt8];

    /// <summary>How many times faster than the dense network the packed one is, by medians.</summary>
    public double Ratio => Over(Dense);

    /// <summary>The same by 10th percentiles: what an undisturbed machine would show.</summary>
    public double RatioP10 => OverP10(Dense);

    /// <summary>Against the dense int8 network; null where none was measured.</summary>
    public double? RatioInt8 => DenseInt8 is null ? null : Over(DenseInt8);

    /// <summary>Calls completed in equal time, packed over dense.</summary>
    public double ThroughputRatio => ThroughputOver(Dense);

    /// <summary>How many times faster than another subject the packed network is, by medians.</summary>
    public double Over(SubjectTiming other) => other.Latency.MedianMicroseconds / Packed.Latency.MedianMicroseconds;

    /// <summary>The same by 10th percentiles.</summary>
    public double OverP10(SubjectTiming other) => other.Latency.P10Microseconds / Packed.Latency.P10Microseconds;

    /// <summary>How many times as many calls the packed network completes.</summary>
    public double ThroughputOver(SubjectTiming other) => Packed.RunsPerSecond / other.RunsPerSecond;
}
