using System.Diagnostics;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Passes.Permute;

/// <summary>
/// Orders the channels of a network before its weights are cut into cells, so that the best masks keep more energy; the
/// network computes the same function, up to the rounding of sums in another order. To be run before projection or training.
/// 1. <see cref="ChannelTies"/> says which tensors share an order and which constants follow it.
/// 2. The layers that see one order of free channels as candidates are searched together (<see cref="TiedScores"/>). The order
///    goes into all constants that follow it, and is taken back where the layers' captured shares do not add up to more.
/// 3. A layer whose channels must keep their order is searched alone. Its order is stored: a Gather with the indices
///    LAYER.perm before it (input axis), or behind it (output axis).
/// 4. Where outputs share owners, their order decides which do. So the layer that makes the channels is weighed too.
/// 5. A layer whose weights satisfy its pattern already keeps its order, and so does everything tied to it.
/// </summary>
public sealed class PermutationPass
{
    private readonly OnnxModel _model;
    private readonly PermutationPassOptions _options;
    private readonly ChannelTies _ties;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _searchesLeft;

    private PermutationPass(OnnxModel model, PermutationPassOptions options)
    {
        (_model, _options, _ties) = (model, options, ChannelTies.Find(model));
    }

    /// <summary>Works on a copy.</summary>
    /// <param name="model">Floating-point weights; int8 layers keep their order.</param>
    /// <exception cref="OnnxException">The graph cannot be understood, or an option names a layer that is not there.</exception>
    /// <exception cref="OperationCanceledException">The options' token says so.</exception>
    public static PermutationPassResult Apply(OnnxModel model, ComplementaryPattern pattern, PermutationPassOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(pattern);
        options ??= new PermutationPassOptions();
        OnnxModel copy = model.Clone();
        copy.NameNodes();
        // orders of channels do not reach into the graphs inside nodes
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(copy, Shapes.ShapeInference.Infer(copy, batch: 1));
        if (options.LayerPatterns.Keys.FirstOrDefault(name => !layers.Any(l => l.Name == name)) is { } unknown)
            throw new OnnxException($"The model has no layer '{unknown}' with weights, expected one of: "
                + $"{string.Join(", ", layers.Select(l => l.Name))}.");
        var pass = new PermutationPass(copy, options);
        List<Candidate> candidates = [.. layers.Select(l => pass.Examine(l, options.LayerPatterns.GetValueOrDefault(l.Name, pattern)))];
        pass.Run(candidates);
        copy.RemoveUnusedInitializers();
        copy.CheckGraph();
        return new PermutationPassResult(copy, [.. candidates.Select(c => c.Report())]);
    }

    private Candidate Examine(WeightLayer layer, ComplementaryPattern pattern)
    {
        string? reason = layer.IsQuantized
            ? "its weights are int8; order the floating-point model and quantize it again"
            : !layer.IsStandard || layer.SpatialRank is 1 or > 2 ? $"channels of {layer.Op} in this form are not ordered"
            : layer.ReasonAgainst(pattern);
        if (reason is not null || pattern.IsDense)
            return new Candidate(layer, null, reason ?? "a dense pattern has nothing to choose");
        return new Candidate(layer, pattern, null);
    }

    private void Run(List<Candidate> candidates)
    {
        List<Candidate> fitting = [.. candidates.Where(c => c.Pattern is not null)];
        var folded = fitting.Where(c => _ties.ReasonFixed(c.Tensor) is null).GroupBy(c => _ties.GroupOf(c.Tensor)).ToList();
        List<Candidate> alone = [.. fitting.Where(c => _ties.ReasonFixed(c.Tensor) is not null)];
        int searches = _searchesLeft = folded.Count + alone.Count;
        foreach (IGrouping<string, Candidate> group in folded)
        {
            Fold(group.Key, [.. group],
                [.. fitting.Where(c => c.PairsOutputs && _ties.GroupOf(c.Layer.Node.Outputs[0]) == group.Key).Except(group)]);
            Report();
        }

        foreach (Candidate candidate in alone)
        {
            Store(candidate);
            Report();
        }

        void Report() => _options.Progress?.Report(1 - (double)_searchesLeft / searches);
    }

    /// <param name="members">The layers that see the group's channels as candidates.</param>
    /// <param name="makers">Layers whose shared outputs are the group's channels.</param>
    private void Fold(string group, List<Candidate> members, List<Candidate> makers)
    {
        List<Candidate> all = [.. members, .. makers];
        foreach (Candidate one in all)
            one.Tied.UnionWith(all.Where(m => m != one).Select(m => m.Layer.Name));
        if (all.Find(m => m.Captured() == 1) is { } satisfied)
        {
            foreach (Candidate member in members)
                member.Stay(member == satisfied ? "its weights satisfy the pattern already" : $"'{satisfied.Layer.Name}' has the same "
                    + "channels and satisfies its pattern already");
            _searchesLeft--;
            return;
        }

        double before = all.Sum(m => m.Captured());
        long start = Stopwatch.GetTimestamp();
        PermutationResult found = TiedScores.Search([.. members.Select(m => (m.Layer, m.Pattern!))], NextSearch(), _options.Cancellation);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Reorder(group, found.Order);
        bool better = all.Sum(m => m.Captured()) > before * (1 + 1e-9);
        if (!better)
            Reorder(group, ChannelOrder.Inverse(found.Order));
        foreach (Candidate member in members)
        {
            member.Seconds = seconds;
            if (better)
                member.Outcome = PermutationOutcome.Folded;
            else
                member.Stay("the search found no better order");
        }
    }

    private void Reorder(string group, int[] order)
    {
        foreach (ChannelParameter parameter in _ties.Parameters(group))
            ChannelOrder.Permute(_model, parameter.Node, parameter.Input, parameter.Axis, order);
    }

    private void Store(Candidate candidate)
    {
        WeightLayer layer = candidate.Layer;
        ComplementaryPattern pattern = candidate.Pattern!;
        string blocked = _ties.ReasonFixed(candidate.Tensor)!;
        bool output = pattern.Axis == CellAxis.Output;
        string? against = !_options.AllowStored ? $"{blocked}, and orders are not to be stored"
            : candidate.Captured() == 1 ? "its weights satisfy the pattern already"
            : ChannelOrder.Uses(_model, layer.Node.Inputs[1]) > 1 ? $"{blocked}, and its weights have other readers"
            : output && layer.Node.HasInput(2) && BiasRow.Find(_model, layer) is null ? $"{blocked}, and its bias is no constant row"
            : null;
        if (against is not null)
        {
            candidate.Stay(against);
            _searchesLeft--;
            return;
        }

        long start = Stopwatch.GetTimestamp();
        var layout = new CellLayout(pattern, layer.Shape);
        PermutationResult found = PermutationSearch.Search(TiedScores.Shares(layer), layout, NextSearch(), _options.Cancellation);
        candidate.Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (found.ScoreAfter <= found.ScoreBefore || found.Gain < _options.MinStoredGain)
        {
            candidate.Stay($"{blocked}, and a gain of {found.Gain:P2} is not worth a Gather");
            return;
        }

        if (output)
            GatherBehind(layer, found.Order);
        else
            GatherBefore(layer, found.Order);
        (candidate.Outcome, candidate.Reason) = (PermutationOutcome.Stored, blocked);
    }

    private void GatherBefore(WeightLayer layer, int[] order)
    {
        NodeProto node = layer.Node;
        TensorProto weights = _model.Constant(node.Inputs[1], node);
        if (layer.Shape.Groups > 1)
            ChannelOrder.PermuteGroups(weights, layer.Shape.Groups, order);
        else
            ChannelOrder.Permute(weights, InputAxis(node), order);
        NodeProto gather = Gather(layer, node.Inputs[0], _model.UniqueName($"{layer.Name}.permuted"), order);
        node.Inputs[0] = gather.Outputs[0];
        _model.Nodes.Insert(_model.Nodes.IndexOf(node), gather);
    }

    private void GatherBehind(WeightLayer layer, int[] order)
    {
        NodeProto node = layer.Node;
        ChannelOrder.Permute(_model.Constant(node.Inputs[1], node), node.Is("Conv") ? 0 : 1 - InputAxis(node), order);
        if (node.HasInput(2) && _model.Constant(node.Inputs[2], node) is { } bias && bias.ElementCount() > 1)
            ChannelOrder.Permute(_model, node, 2, bias.Dims.Count - 1, order);
        string name = _model.UniqueName($"{layer.Name}.permuted");
        NodeProto gather = Gather(layer, name, node.Outputs[0], ChannelOrder.Inverse(order));
        node.Outputs[0] = name;
        _model.Nodes.Insert(_model.Nodes.IndexOf(node) + 1, gather);
    }

    private NodeProto Gather(WeightLayer layer, string input, string output, int[] indices)
    {
        string order = _model.UniqueName(layer.Name + ChannelOrder.Suffix);
        _model.AddInitializer(TensorData.Create<long>(order, [indices.Length], Array.ConvertAll(indices, i => (long)i)));
        return new NodeProto("Gather", _model.UniqueName($"{layer.Name}.permute"), [input, order], [output])
            .With("axis", layer.Node.Is("Conv") ? 1L : -1L);
    }

    private static int InputAxis(NodeProto node) => node.Is("Conv") || (node.Is("Gemm") && node.GetInt("transB", 0) != 0) ? 1 : 0;

    private PermutationOptions NextSearch()
    {
        TimeSpan? share = _options.TimeLimit is { } limit
            ? (limit > _clock.Elapsed ? (limit - _clock.Elapsed) / Math.Max(1, _searchesLeft) : TimeSpan.Zero)
            : null;
        _searchesLeft--;
        return new PermutationOptions(_options.MaxEvaluations, _options.Seed, share);
    }

    /// <summary>A layer on its way through the pass.</summary>
    private sealed class Candidate
    {
        private readonly double _before;

        internal Candidate(WeightLayer layer, ComplementaryPattern? pattern, string? reason)
        {
            (Layer, Pattern, Reason) = (layer, pattern, reason);
            _before = Captured();
        }

        internal WeightLayer Layer { get; }

        internal ComplementaryPattern? Pattern { get; }

        internal PermutationOutcome Outcome { get; set; }

        internal string? Reason { get; set; }

        internal double Seconds { get; set; }

        internal SortedSet<string> Tied { get; } = new(StringComparer.Ordinal);

        /// <summary>The tensor whose channels are the pattern's candidates.</summary>
        internal string Tensor => Pattern!.Axis == CellAxis.Input ? Layer.Node.Inputs[0] : Layer.Node.Outputs[0];

        /// <summary>True where the order of the outputs matters although it is not the pattern's axis.</summary>
        internal bool PairsOutputs => Pattern is { Share: > 1, Axis: CellAxis.Input };

        internal void Stay(string reason) => Reason = reason;

        internal double Captured() => Pattern is null ? 1 : CapturedEnergy.Of(Layer.GetWeights(), Pattern, Layer.Shape);

        internal PermutedLayer Report() => new(Layer.Name, Pattern, _before, Captured(), Outcome, Reason, Seconds, [.. Tied]);
    }
}
