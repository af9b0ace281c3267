using Dovetail.Benchmarking.Layers;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail bench --shapes</c>.</summary>
/// <param name="Shapes">The list.</param>
/// <param name="SessionOverheadUs">In every time: what a session of an empty model takes.</param>
/// <param name="LoadAverage">Of the minute before; null where the system has none.</param>
/// <param name="BusyProcessors">Those that others kept busy; null where the system does not tell.</param>
public sealed record ShapesBenchJson(
    string Cpu, int Threads, int Batch, string Dtype, string Shapes, int Seed, PeakJson Peak, double SessionOverheadUs,
    double? LoadAverage, double? BusyProcessors, IReadOnlyList<LayerSummary> GeometricMeans, IReadOnlyList<ShapeSpeedJson> Layers,
    IReadOnlyList<UnfitShapeJson> StayDense, VersionsJson Versions) : VerbResult;

/// <summary>A layer alone: medians and percentiles of a call.</summary>
/// <param name="Verdict">What packing would do by these times: "packed" or "dense"; "either" where median and 10th percentile
/// disagree.</param>
/// <param name="DenseAloneUs">Dense fp32 in the layout that ONNX Runtime gives a network of this layer only.</param>
public sealed record ShapeSpeedJson(
    string Name, string Op, int M, int N, int K, int Count, string Pattern, string Dtype, string Kernel,
    string DenseOp, double DenseUs, double DenseP10Us, double DenseP90Us,
    string DenseInt8Op, double DenseInt8Us, double DenseInt8P10Us, double DenseInt8P90Us, double DenseAloneUs,
    double PackedUs, double PackedP10Us, double PackedP90Us, int PackedRuns,
    double Ratio, double RatioP10, double RatioInt8, double RatioInt8P10, double RatioAlone,
    double UsefulGflops, double EffectiveGflops, double DenseGflops, double ShareOfPeak, string Verdict)
{
    public static ShapeSpeedJson Of(LayerMeasurement row, string verdict)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new ShapeSpeedJson(
            row.Shape.Workload.Name, row.Shape.Workload.Op, row.Shape.Workload.M, row.Shape.Workload.N, row.Shape.Workload.K,
            row.Shape.Count,
            row.Pattern, row.DType.ToString().ToLowerInvariant(), row.Kernel,
            row.Dense.Operator, row.Dense.Timing.MedianMicroseconds, row.Dense.Timing.P10Microseconds, row.Dense.Timing.P90Microseconds,
            row.DenseInt8.Operator, row.DenseInt8.Timing.MedianMicroseconds, row.DenseInt8.Timing.P10Microseconds,
            row.DenseInt8.Timing.P90Microseconds, row.DenseAlone.MedianMicroseconds,
            row.Packed.MedianMicroseconds, row.Packed.P10Microseconds, row.Packed.P90Microseconds, row.Packed.Runs,
            row.Ratio, row.RatioP10, row.RatioInt8, row.RatioInt8P10, row.RatioAlone,
            row.UsefulGflops, row.EffectiveGflops, row.DenseGflops, row.ShareOfPeak, verdict);
    }
}

/// <summary>A layer that a pattern does not fit.</summary>
public sealed record UnfitShapeJson(string Name, string Pattern, string Reason);
