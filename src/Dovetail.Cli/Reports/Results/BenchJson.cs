using Dovetail.Benchmarking;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail bench MODEL</c>.</summary>
/// <param name="Stream">"sync" or "async".</param>
/// <param name="LoadAverage">Of the minute before; null where the system has none.</param>
/// <param name="BusyProcessors">Those that others kept busy; null where the system does not tell.</param>
public sealed record BenchJson(
    string Cpu, int Threads, int Batch, int Seed, string Against, string DenseOrigin, string Stream, int Callers,
    double? LoadAverage, double? BusyProcessors, IReadOnlyList<DimensionJson> Dimensions, NetworkSpeedJson Network,
    IReadOnlyList<SubjectJson> Subjects, IReadOnlyList<LayerSpeedInfo> Layers, PeakJson Peak, VersionsJson Versions) : VerbResult;

/// <summary>What the model leaves open, and what it was in this run.</summary>
public sealed record DimensionJson(string Name, long Size);

/// <summary>Medians.</summary>
public sealed record NetworkSpeedJson(
    double DenseMs, double PackedMs, double Ratio, double RatioP10, double ThroughputRatio, double? DenseInt8Ms, double? RatioInt8,
    string? NoDenseInt8Because, double EffectiveGflops, double UsefulGflops, double ShareOfPeak)
{
    public static NetworkSpeedJson Of(NetworkResult network, NetworkRates rates)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(rates);
        return new NetworkSpeedJson(
            network.Dense.Latency.MedianMicroseconds / 1e3, network.Packed.Latency.MedianMicroseconds / 1e3, network.Ratio,
            network.RatioP10,
            network.ThroughputRatio, network.DenseInt8?.Latency.MedianMicroseconds / 1e3, network.RatioInt8, network.NoDenseInt8,
            rates.EffectiveGflops, rates.UsefulGflops, rates.ShareOfPeak);
    }
}

/// <summary>One of the networks that were measured side by side.</summary>
/// <param name="FileBytes">Null for one that is no file.</param>
/// <param name="PeakMemoryBytes">What loading and one run add to the memory of a process of its own; null where it was not
/// measured.</param>
/// <param name="Accuracy">On the test images; null without --data.</param>
public sealed record SubjectJson(
    string Name, double LoadMs, long? FileBytes, long? PeakMemoryBytes, double? Accuracy, int Runs, double P10Ms, double P50Ms,
    double P90Ms, double P99Ms, double InputsPerSecond)
{
    public static SubjectJson Of(
        SubjectTiming subject, int batch, long? fileBytes = null, long? peakMemoryBytes = null, double? accuracy = null)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return new SubjectJson(
            subject.Name, subject.LoadMilliseconds, fileBytes, peakMemoryBytes, accuracy, subject.Latency.Runs,
            subject.Latency.P10Microseconds / 1e3,
            subject.Latency.MedianMicroseconds / 1e3, subject.Latency.P90Microseconds / 1e3, subject.Latency.P99Microseconds / 1e3,
            subject.RunsPerSecond * batch);
    }
}

/// <summary>The machine's measured peak.</summary>
public sealed record PeakJson(double Gflops, string Dtype, string Method)
{
    public static PeakJson Of(double gflops) => new(gflops, "fp32", PeakArithmetic.Method);
}

public sealed record VersionsJson(string Dovetail, string Commit, string Runtime, string OnnxRuntime)
{
    public static VersionsJson OfThisProgram =>
        new(MachineFacts.Version, MachineFacts.Commit, MachineFacts.Runtime, MachineFacts.OnnxRuntimeVersion);
}
