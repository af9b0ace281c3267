using Dovetail.Core.Patterns;

namespace Dovetail.Core.Allocation;

/// <summary>What one layer may become.</summary>
/// <param name="Pattern">Dense as "1:1".</param>
/// <param name="Cost">In the unit of the budget: multiply-accumulates, bytes or picoseconds of latency.</param>
/// <param name="Score">What is to be great in total, e.g. captured energy times the layer's importance.</param>
public sealed record LayerChoice(ComplementaryPattern Pattern, long Cost, double Score);

/// <summary>A layer and its choices, at least one.</summary>
public sealed record LayerChoices(string Layer, IReadOnlyList<LayerChoice> Choices);

/// <summary>A choice for every layer, in the order of the layers.</summary>
/// <param name="UpperBound">No allocation within the budget scores more than this.</param>
/// <param name="IsOptimal">True where <paramref name="Score"/> is proven to be the greatest.</param>
public sealed record AllocationResult(IReadOnlyList<LayerChoice> Choices, long Cost, double Score, double UpperBound, bool IsOptimal);
