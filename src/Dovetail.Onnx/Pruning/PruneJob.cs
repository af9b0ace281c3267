using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Permute;

namespace Dovetail.Onnx.Pruning;

/// <summary>
/// Dense weights to sparse ones, by magnitude.
/// 1. Which pattern each layer gets: one for all, or an allocation.
/// 2. Channels are ordered for these patterns, where that was asked for.
/// 3. Each layer keeps the greatest weights of every cell.
/// 4. The model declares the patterns.
/// </summary>
public static class PruneJob
{
    private const string HeadReason = $"{NetworkHead.Reason} (--head prunes it too)";

    /// <exception cref="DovetailException">No layer can be pruned, the budget is too small, or the weights are int8 or not finite.</exception>
    public static PruneResult Run(OnnxModel source, PruneOptions options, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        if (source.Nodes.Find(PackedWeights.IsPacked) is { } packed)
            throw new OnnxException($"{packed} is packed already; prune the model that was packed.");
        OnnxModel model = source.Clone();
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        if (layers.FirstOrDefault(layer => layer.IsQuantized) is { } quantized)
            throw new OnnxException($"Layer '{quantized.Name}' has int8 weights; prune the floating-point model and quantize it again.");
        if (layers.FirstOrDefault(layer => layer.GetWeights().Any(w => !float.IsFinite(w))) is { } diverged)
            throw new OnnxException($"Layer '{diverged.Name}' has weights that are NaN or infinite, expected finite numbers. A training that diverged leaves such weights.");
        string? head = options.Head ? null : NetworkHead.Find(layers)?.Name;
        (LayerAllocation? allocation, long denseCost) = options.Allocation is null ? (null, 0) : Allocate(model, options.Allocation, layers, head);
        IReadOnlyDictionary<string, ComplementaryPattern> patterns = allocation?.LayerPatterns ?? Fitting(model, options.Pattern, head);
        Dictionary<string, PermutedLayer> orders = [];
        if (options.Permute is { } permute)
        {
            PermutationPassResult permuted = PermutationPass.Apply(model, ComplementaryPattern.Dense, new PermutationPassOptions
            {
                LayerPatterns = patterns,
                TimeLimit = permute.TimeLimit,
                MaxEvaluations = permute.TimeLimit is null ? PermuteOptions.Effort : long.MaxValue,
                AllowStored = !permute.FoldOnly,
                Seed = permute.Seed,
                Progress = progress,
                Cancellation = cancellation,
            });
            model = permuted.Model;
            orders = permuted.Layers.ToDictionary(layer => layer.Name);
        }

        List<PrunedLayer> pruned = [.. WeightLayers.Find(model).Select(layer => Prune(layer))];
        LayerPatterns.Declare(model, patterns);
        return new PruneResult(model, pruned, allocation, denseCost);

        PrunedLayer Prune(WeightLayer layer)
        {
            cancellation.ThrowIfCancellationRequested();
            string? reason = patterns.TryGetValue(layer.Name, out ComplementaryPattern? pattern) ? null
                : layer.Name == head ? HeadReason
                : allocation is null ? layer.ReasonAgainst(options.Pattern)
                : options.Allocation!.Latencies is { } latencies && !latencies.Layers.Contains(layer.Name) ? "it was not measured"
                : options.Allocation!.Candidates.All(candidate => layer.ReasonAgainst(candidate) is not null) ? "no candidate fits it"
                : "the allocation keeps it dense";
            return new PrunedLayer(layer.Name, layer.Shape, pattern, reason, pattern is null ? 1 : Project(layer, pattern), orders.GetValueOrDefault(layer.Name));
        }
    }

    private static Dictionary<string, ComplementaryPattern> Fitting(OnnxModel model, ComplementaryPattern pattern, string? head)
    {
        Dictionary<string, ComplementaryPattern> patterns = WeightLayers.FindFitting(model, pattern).Where(layer => layer.Name != head).ToDictionary(layer => layer.Name, _ => pattern);
        return patterns.Count > 0 ? patterns : throw new PatternException($"Pattern {pattern} fits the head alone, '{head}', which stays dense. Prune it with --head, or choose a smaller group.");
    }

    private static (LayerAllocation Allocation, long DenseCost) Allocate(OnnxModel model, AllocationOptions options, IReadOnlyList<WeightLayer> layers, string? head)
    {
        LatencyTable? latencies = options.Latencies;
        if (latencies is not null && !layers.Any(layer => latencies.Layers.Contains(layer.Name)))
            throw new DovetailException($"The latencies are of other layers ({string.Join(", ", latencies.Layers)}); this model has {string.Join(", ", layers.Select(layer => layer.Name))}.");
        Func<WeightLayer, ComplementaryPattern, long> cost = options.Cost switch
        {
            CostUnit.Macs => LayerCosts.MultiplyAccumulates,
            CostUnit.Bytes => LayerCosts.Bytes(),
            _ => (layer, pattern) => latencies!.Nanoseconds(layer.Name, pattern),
        };
        long dense = layers.Sum(layer => cost(layer, ComplementaryPattern.Dense));
        try
        {
            return (AllocationPass.Allocate(
                model, options.Method, options.Candidates, options.Budget.In(dense, options.Cost == CostUnit.Latency ? 1e3 : 1), cost,
                weight: layer => layer.GetWeights().Sum(w => (double)w * w) is > 0 and var energy ? 1 / energy : 1, // captured shares count, not scales
                allowed: (layer, pattern) => layer.Name != head && latencies?.Has(layer.Name, pattern) != false), dense);
        }
        catch (DovetailException error) when (error is not OnnxException)
        {
            string unit = options.Cost switch { CostUnit.Macs => "multiply-accumulates", CostUnit.Bytes => "bytes", _ => "nanoseconds" };
            throw new DovetailException($"{error.Message} The unit is {unit}; the dense network costs {dense}.", error);
        }
    }

    /// <summary>Zeroes what the best mask leaves out; returns the share of Σw² that stays.</summary>
    public static double Project(WeightLayer layer, ComplementaryPattern pattern)
    {
        float[] weights = layer.GetWeights();
        bool[] mask = Projection.Project(Array.ConvertAll(weights, MathF.Abs), new CellLayout(pattern, layer.Shape));
        double all = 0, kept = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            double energy = (double)weights[i] * weights[i];
            all += energy;
            if (mask[i])
                kept += energy;
            else
                weights[i] = 0;
        }

        layer.SetWeights(weights);
        return all == 0 ? 1 : kept / all;
    }
}
