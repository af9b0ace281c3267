using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Pruning;

/// <summary>What <c>dovetail prune</c> is to do.</summary>
/// <param name="Pattern">For every layer that it fits; not used where there is an allocation.</param>
/// <param name="Head">Prune the fully connected layer at the end too.</param>
public sealed record PruneOptions(ComplementaryPattern Pattern, bool Head, AllocationOptions? Allocation, PermuteOptions? Permute);

/// <summary>A pattern a layer, within a budget.</summary>
/// <param name="Latencies">Where the cost is latency.</param>
public sealed record AllocationOptions(
    AllocationMethod Method, IReadOnlyList<ComplementaryPattern> Candidates, CostUnit Cost, Budget Budget, LatencyTable? Latencies);

/// <summary>An order of channels, before the weights are cut into cells.</summary>
/// <param name="TimeLimit">Null: bounded by effort, so that equal seeds give equal orders.</param>
public sealed record PermuteOptions(TimeSpan? TimeLimit, bool FoldOnly, int Seed)
{
    /// <summary>Exchanges that a search without a time limit weighs: what is gained beyond is small (bench/results).</summary>
    public const long Effort = 1_000_000;
}

/// <summary>What a budget counts.</summary>
public enum CostUnit
{
    Macs,
    Bytes,
    Latency,
}
