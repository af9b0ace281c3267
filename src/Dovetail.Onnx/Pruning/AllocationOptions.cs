using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Pruning;

/// <summary>A pattern a layer, within a budget for all.</summary>
/// <param name="Candidates">Every layer may also stay dense.</param>
/// <param name="Latencies">Where the cost is latency; layers that are not in it stay dense and are not counted.</param>
public sealed record AllocationOptions(
    AllocationMethod Method, IReadOnlyList<ComplementaryPattern> Candidates, CostUnit Cost, Budget Budget, LatencyTable? Latencies = null);
