using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Permute;

namespace Dovetail.Onnx.Pruning;

/// <summary>A copy of a model that can be pruned, and how.</summary>
internal sealed class PruningJob
{
    /// <summary>Of the progress, where channels are ordered first: nearly all of the time.</summary>
    private const double OrderingShare = 0.95;

    private readonly PruningOptions _options;
    private readonly IProgress<double>? _progress;
    private readonly CancellationToken _cancellation;

    public PruningJob(OnnxModel source, PruningOptions? options, IProgress<double>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        (_options, _progress, _cancellation) = (options ?? new PruningOptions(), progress, cancellation);
        if (PackedWeights.Nodes(source).FirstOrDefault().Node is { } packed)
            throw new OnnxException($"{packed} is packed already; prune the model that was packed.");
        Model = source.Clone();
        Layers = WeightLayers.Find(Model);
        if (Layers.FirstOrDefault(layer => layer.IsQuantized) is { } quantized)
            throw new OnnxException($"Layer '{quantized.Name}' has int8 weights; prune the floating-point model and quantize it again.");
        foreach (WeightLayer layer in Layers)
            if (layer.FindNotFinite() is { } fault)
                NotFinite.Add(layer.Name, fault);
        if (Layers.Count > 0 && NotFinite.Count == Layers.Count)
            throw new OnnxException(
                $"No layer has finite weights; {Layers[0].Name}: {NotFinite[Layers[0].Name]}. "
                + "A training that diverged leaves such weights.");
        DenseHead = _options.Head ? null : NetworkHead.Find(Layers)?.Name;
    }

    public OnnxModel Model { get; }

    public IReadOnlyList<WeightLayer> Layers { get; }

    /// <summary>Layers that stay as they are because a weight of theirs is NaN or infinite, with where it stands.</summary>
    public Dictionary<string, string> NotFinite { get; } = [];

    /// <summary>The head where it is to stay dense.</summary>
    public string? DenseHead { get; }

    /// <param name="reason">Why a layer without a pattern has none.</param>
    public PruningResult Run(IReadOnlyDictionary<string, ComplementaryPattern> patterns, Func<WeightLayer, DenseReason> reason)
    {
        OnnxModel model = Model;
        var decided = patterns.Where(pair => !NotFinite.ContainsKey(pair.Key)).ToDictionary();
        Dictionary<string, (string First, bool IsAlike)> shared = Share(decided);
        if (decided.Count == 0 && patterns.Count > 0)
            throw new PatternException("No layer can be pruned: " + WeightLayers.Reasons(
                Layers.Where(layer => patterns.ContainsKey(layer.Name)).Select(layer => (layer.Name, (string?)Reason(layer).Words))) + ".");
        patterns = decided;
        Dictionary<string, PermutedLayer>? orders = null;
        double ordered = 0;
        if (_options.Permutation is { } permutation)
        {
            ordered = OrderingShare;
            PermutationPassResult permuted = PermutationPass.Apply(model, ComplementaryPattern.Dense, permutation with
            {
                LayerPatterns = Ordered(patterns),
                Progress = _progress is null ? null : new ScaledProgress(_progress, ordered),
                Cancellation = _cancellation,
            });
            (model, orders) = (permuted.Model, permuted.Layers.ToDictionary(layer => layer.Name));
        }

        var pruned = new List<PrunedLayer>();
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        foreach (WeightLayer layer in layers)
        {
            _cancellation.ThrowIfCancellationRequested();
            PermutedLayer? order = orders?.GetValueOrDefault(layer.Name);
            (string first, bool alike) = shared.GetValueOrDefault(layer.Name);
            pruned.Add(patterns.TryGetValue(layer.Name, out ComplementaryPattern? pattern)
                ? alike && layers.First(one => one.Name == first).Tensor == layer.Tensor // as long as no order of channels parted them
                    ? pruned.First(one => one.Name == first) with { Name = layer.Name, Order = order }
                : Prune(model, layer, pattern, order)
                : new PrunedLayer(layer.Name, layer.Shape, null, Reason(layer), null, 1, order));
            _progress?.Report(ordered + (1 - ordered) * pruned.Count / layers.Count);
        }

        LayerPatterns.Declare(model, patterns);
        return new PruningResult(model, pruned, null);

        DenseReason Reason(WeightLayer layer) =>
            NotFinite.TryGetValue(layer.Name, out string? fault) ? new DenseReason(DenseCause.NotFinite, fault)
            : shared.TryGetValue(layer.Name, out (string First, bool IsAlike) with) && !with.IsAlike
                ? new DenseReason(DenseCause.Shared, patterns.ContainsKey(with.First)
                    ? $"it reads the weights of {with.First} in another form or by another pattern, and that one prunes them"
                    : $"{with.First} reads the same weights and stays dense")
            : reason(layer);
    }

    /// <summary>
    /// One decision for weights that several layers read: dense where one of them stays dense; else the first layer's pattern, which the
    /// others take over where they read them in the same form and were to have the same pattern, and are dense by name otherwise.
    /// </summary>
    /// <param name="patterns">By name; what the decision forbids is taken out.</param>
    /// <returns>The layers that follow another one's decision.</returns>
    private Dictionary<string, (string First, bool IsAlike)> Share(Dictionary<string, ComplementaryPattern> patterns)
    {
        var shared = new Dictionary<string, (string, bool)>();
        foreach (WeightLayer[] readers in Layers.GroupBy(layer => layer.Tensor).Select(group => group.ToArray()))
        {
            if (readers.Any(layer => patterns.ContainsKey(layer.Name)) && readers[0].OtherReader is { } other)
            {
                foreach (WeightLayer layer in readers)
                    if (patterns.Remove(layer.Name))
                        shared[layer.Name] = (other, false);
                continue;
            }

            if (readers.Length == 1)
                continue;
            if (Array.Find(readers, layer => !patterns.ContainsKey(layer.Name)) is { } dense)
            {
                foreach (WeightLayer layer in readers)
                    if (patterns.Remove(layer.Name))
                        shared[layer.Name] = (dense.Name, false);
                continue;
            }

            WeightLayer first = readers[0];
            foreach (WeightLayer layer in readers.Skip(1))
            {
                bool alike = layer.ReadsAs(first) && patterns[layer.Name].Equals(patterns[first.Name]);
                shared[layer.Name] = (first.Name, alike);
                if (!alike)
                    patterns.Remove(layer.Name);
            }
        }

        return shared;
    }

    // Layers inside a node's graph keep their order.
    private Dictionary<string, ComplementaryPattern> Ordered(IReadOnlyDictionary<string, ComplementaryPattern> patterns)
    {
        HashSet<string> own = [.. Model.Nodes.Select(node => node.Name)];
        return patterns.Where(pair => own.Contains(pair.Key)).ToDictionary();
    }

    private PrunedLayer Prune(OnnxModel model, WeightLayer layer, ComplementaryPattern pattern, PermutedLayer? order)
    {
        var context = new PruningContext(model, layer, pattern, _options.Inputs, _cancellation);
        PrunedWeights pruned = _options.Pruner.Prune(context);
        Check(context, pruned);
        layer.SetWeights(pruned.Weights);
        double captured = CapturedEnergy.Of(context.Weights.Span, pruned.Mask);
        return new PrunedLayer(layer.Name, layer.Shape, pattern, null, pruned.Mask, captured, order);
    }

    /// <summary>What a pruner returns must be what can be packed.</summary>
    private void Check(PruningContext context, PrunedWeights pruned)
    {
        int count = context.Layer.Shape.Count;
        string? fault = pruned.Weights.Length != count || pruned.Mask.Length != count
            ? $"{pruned.Weights.Length} weights and a mask of {pruned.Mask.Length}, expected {count}"
            : FindStray(context.Layer.Shape, pruned);
        try
        {
            if (fault is null)
                Packer.Pack<float>(pruned.Weights, context.Layout, pruned.Mask);
        }
        catch (PackingException error)
        {
            fault = $"a mask that breaks {context.Layout.Pattern}: {error.Message.TrimEnd('.')}";
        }

        if (fault is not null)
            throw new OnnxException($"{_options.Pruner.GetType().Name} returned for layer '{context.Layer.Name}' {fault}.");
    }

    private static string? FindStray(WeightShape shape, PrunedWeights pruned)
    {
        for (int i = 0; i < pruned.Weights.Length; i++)
            if (!float.IsFinite(pruned.Weights[i]) || (!pruned.Mask[i] && pruned.Weights[i] != 0))
                return $"the weight {pruned.Weights[i]} at row {i / shape.Inputs}, column {i % shape.Inputs}, "
                    + $"expected {(pruned.Mask[i] ? "a finite number" : "0, as the mask drops it")}";
        return null;
    }

    private sealed class ScaledProgress(IProgress<double> target, double share) : IProgress<double>
    {
        public void Report(double value) => target.Report(value * share);
    }
}
