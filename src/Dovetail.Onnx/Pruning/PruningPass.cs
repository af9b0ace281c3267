using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Pruning;

/// <summary>
/// Dense weights to sparse ones.
/// 1. Which pattern each layer gets: one for all that it fits, an allocation within a budget, or as given by name.
/// 2. Channels are ordered for these patterns, where that was asked for.
/// 3. Layer by layer, in graph order, the pruner says which weights stay and what they become.
/// 4. The model declares the patterns.
/// </summary>
public static class PruningPass
{
    private static readonly DenseReason s_head = new(DenseCause.Head, NetworkHead.Reason);

    /// <summary>Prunes a copy: every layer that the pattern fits, but for the head unless the options say so.</summary>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <exception cref="DovetailException">No layer can be pruned, or the weights are int8 or packed, or none are finite.</exception>
    public static PruningResult Prune(
        OnnxModel model, ComplementaryPattern pattern, PruningOptions? options = null, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var job = new PruningJob(model, options, progress, cancellation);
        string? head = job.DenseHead;
        Dictionary<string, ComplementaryPattern> patterns = WeightLayers.FindFitting(job.Model, pattern)
            .Where(layer => layer.Name != head).ToDictionary(layer => layer.Name, _ => pattern);
        if (patterns.Count == 0)
            throw new PatternException(
                $"Pattern {pattern} fits the head alone, '{head}', which stays dense. Prune the head too, or choose a smaller group.");
        return job.Run(patterns, Reason);

        DenseReason Reason(WeightLayer layer) =>
            layer.Name == head ? s_head : new DenseReason(DenseCause.DoesNotFit, layer.ReasonAgainst(pattern)!);
    }

    /// <summary>Prunes a copy: each layer by what an allocation gives it.</summary>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <exception cref="DovetailException">
    /// The budget is too small, the latencies are of other layers, or the weights are int8 or packed, or none are finite.
    /// </exception>
    public static PruningResult Prune(
        OnnxModel model, AllocationOptions allocation, PruningOptions? options = null, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(allocation);
        var job = new PruningJob(model, options, progress, cancellation);
        string? head = job.DenseHead;
        LayerAllocation found = AllocationPass.Allocate(job.Model, allocation, allowed: layer => layer.Name != head);
        return job.Run(found.LayerPatterns, Reason) with { Allocation = found };

        DenseReason Reason(WeightLayer layer) =>
            layer.Name == head ? s_head
            : allocation.Latencies?.Layers.Contains(layer.Name) == false ? new DenseReason(DenseCause.NotMeasured, "it was not measured")
            : allocation.Candidates.All(candidate => layer.ReasonAgainst(candidate) is not null)
                ? new DenseReason(DenseCause.DoesNotFit, "no candidate fits it")
            : new DenseReason(DenseCause.Allocated, "the allocation keeps it dense");
    }

    /// <summary>Prunes a copy: the named layers, whatever they are.</summary>
    /// <param name="patterns">By node name; the other layers stay dense.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <exception cref="DovetailException">
    /// There is no such layer, a pattern does not fit its layer, or the weights are int8 or packed, or none are finite.
    /// </exception>
    public static PruningResult Prune(
        OnnxModel model, IReadOnlyDictionary<string, ComplementaryPattern> patterns, PruningOptions? options = null,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        var job = new PruningJob(model, options, progress, cancellation);
        foreach ((string name, ComplementaryPattern pattern) in patterns)
        {
            WeightLayer layer = job.Layers.FirstOrDefault(layer => layer.Name == name)
                ?? throw new OnnxException(
                    $"The model has no layer '{name}' with weights, "
                    + $"expected one of: {string.Join(", ", job.Layers.Select(layer => layer.Name))}.");
            if (layer.ReasonAgainst(pattern) is { } reason)
                throw new PatternException($"Pattern {pattern} does not fit layer '{name}': {reason}.");
        }

        return job.Run(
            patterns.Where(pair => !pair.Value.IsDense).ToDictionary(),
            _ => new DenseReason(DenseCause.NotAsked, "no pattern is asked for it"));
    }
}
