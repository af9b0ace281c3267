namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail prune</c>.</summary>
/// <param name="Layers">Those that were pruned.</param>
/// <param name="Allocation">Null where the patterns were given.</param>
public sealed record PruneJson(
    string File, double Sparsity, IReadOnlyList<PrunedLayerJson> Layers, IReadOnlyList<DenseLayerJson> DenseLayers,
    AllocationJson? Allocation)
    : VerbResult;

/// <param name="Order">Null without <c>--permute</c>.</param>
/// <param name="Note">Where the last cells have fewer candidates than the group; else null.</param>
public sealed record PrunedLayerJson(
    string Name, string Shape, string Pattern, double CapturedEnergy, ChannelOrderJson? Order, string? Note);

/// <param name="Outcome">"folded", "stored" or "unchanged".</param>
public sealed record ChannelOrderJson(
    string Outcome, double CapturedEnergyBefore, string? Reason, double SearchSeconds, IReadOnlyList<string> TiedLayers);

public sealed record DenseLayerJson(string Name, string Reason);

/// <param name="Unit">Of budget and costs: "macs", "bytes" or "nanoseconds".</param>
public sealed record AllocationJson(
    string Method, string Unit, long Budget, long Cost, long DenseCost, double SumOfCapturedShares, double UpperBound, bool IsOptimal);
