using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Permute;

/// <summary>How far the pass may go.</summary>
public sealed record PermutationPassOptions
{
    /// <summary>Patterns of single layers by node name, where they differ from the model's.</summary>
    public IReadOnlyDictionary<string, ComplementaryPattern> LayerPatterns { get; init; } = new Dictionary<string, ComplementaryPattern>();

    /// <summary>Exchanges that each search may weigh; the reproducible bound of its time.</summary>
    public long MaxEvaluations { get; init; } = 200_000;

    /// <summary>Bound of all searches together; the remaining time is shared evenly by the remaining searches. Null: none.</summary>
    public TimeSpan? TimeLimit { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>The least relative gain of captured energy for which a layer gets a Gather, which costs time at every run.</summary>
    public double MinStoredGain { get; init; } = 0.01;

    /// <summary>Told the share of the searches that are done, 0 to 1.</summary>
    public IProgress<double>? Progress { get; init; }

    public CancellationToken Cancellation { get; init; }

    /// <summary>False: only orders that fold into neighbouring layers.</summary>
    public bool AllowStored { get; init; } = true;
}

/// <summary>Where a layer's new order went.</summary>
public enum PermutationOutcome
{
    /// <summary>The order stays as it was.</summary>
    Unchanged,

    /// <summary>Into the weights and parameters of the layers around; the graph is the same.</summary>
    Folded,

    /// <summary>Into the tensor LAYER.perm and a Gather before the layer (input axis) or behind it (output axis).</summary>
    Stored,
}

/// <summary>What became of a layer.</summary>
/// <param name="Pattern">Null where none fits.</param>
/// <param name="CapturedBefore">Share of Σw² that the best mask of the pattern keeps; 1 where none fits.</param>
/// <param name="Reason">Why the order stayed; or why it was stored and not folded.</param>
/// <param name="SearchSeconds">Of the search that found the order, which tied layers share.</param>
/// <param name="TiedLayers">
/// Other layers whose captured share the same orders decide: readers of the same channels, and, where outputs share owners,
/// their makers. Of tied layers one may lose what others gain.
/// </param>
public sealed record PermutedLayer(
    string Name, ComplementaryPattern? Pattern, double CapturedBefore, double CapturedAfter,
    PermutationOutcome Outcome, string? Reason, double SearchSeconds, IReadOnlyList<string> TiedLayers);

/// <summary>A model in another order of channels, with the function of the old one up to rounding.</summary>
public sealed record PermutationPassResult(OnnxModel Model, IReadOnlyList<PermutedLayer> Layers);
