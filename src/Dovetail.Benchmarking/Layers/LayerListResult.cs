using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Benchmarking.Layers;

/// <summary>A list of bare layers, packed in some patterns against ONNX Runtime dense fp32 and int8.</summary>
/// <param name="DType">Of the packed weights.</param>
/// <param name="Options">Seconds: for one side of one layer.</param>
/// <param name="PeakGflops">Of the machine, fp32 (<see cref="PeakArithmetic"/>).</param>
/// <param name="SessionOverheadMicroseconds">A session's own, in every figure.</param>
/// <param name="Layers">Layer by layer, and pattern by pattern within each.</param>
/// <param name="StayDense">What was not measured.</param>
public sealed record LayerListResult(
    DType DType, IReadOnlyList<ComplementaryPattern> Patterns, BenchmarkOptions Options, double PeakGflops,
    double SessionOverheadMicroseconds,
    IReadOnlyList<LayerMeasurement> Layers, IReadOnlyList<UnfitLayer> StayDense)
{
    /// <summary>Geometric means, for each pattern.</summary>
    public IReadOnlyList<LayerSummary> Summaries { get; } = LayerSummary.Of(Layers);
}

/// <summary>A layer that a pattern does not fit.</summary>
/// <param name="Reason">E.g. "27 channels are fewer than the group, 64".</param>
public sealed record UnfitLayer(LayerShape Shape, ComplementaryPattern Pattern, string Reason);
