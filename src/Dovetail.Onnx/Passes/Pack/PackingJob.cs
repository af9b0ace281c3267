using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Choose;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// One model on its way to a packed one: it is prepared once, planned, drawn by the plan, and written. The steps themselves stand in
/// <see cref="PackingSteps"/>.
/// </summary>
internal sealed class PackingJob
{
    /// <summary>More than a packed node, its attributes and Transposes take in a file.</summary>
    private const long NodeBytes = 1024;

    private readonly OnnxModel _source;
    private readonly ComplementaryPattern _pattern;
    private readonly PackingOptions _options;
    private readonly OnnxModel _prepared;
    private readonly IReadOnlyList<LayerPlan>? _elsewhere;
    private readonly IReadOnlyDictionary<string, TensorInfo> _shapes;
    private readonly LayerPacking _packing;
    private readonly Dictionary<string, PackedTensor> _weights = [];
    private readonly Dictionary<WrittenWeights, NodeProto> _written;

    /// <summary>Prepares a copy of the model.</summary>
    /// <param name="pattern">Of the layers for which the options have none.</param>
    /// <param name="declared">The model says the patterns itself: <see cref="LayerPatterns"/>.</param>
    /// <exception cref="OnnxException">The options name a layer that is not there.</exception>
    /// <exception cref="PatternException">A layer does not satisfy what is declared for it.</exception>
    /// <param name="elsewhere">
    /// The layers of the graphs that are packed before this one (inside its nodes), or null for a graph inside a node, whose options may
    /// name layers of others and which may have none to pack.
    /// </param>
    /// <param name="written">What graphs beside this one have packed.</param>
    public PackingJob(
        OnnxModel source, ComplementaryPattern pattern, PackingOptions options,
        IReadOnlyDictionary<string, ComplementaryPattern>? declared, IReadOnlyList<LayerPlan>? elsewhere,
        Dictionary<WrittenWeights, NodeProto>? written = null)
    {
        (_source, _pattern, _prepared, _elsewhere) = (source, pattern, source.Clone(), elsewhere);
        _written = written ?? [];
        foreach (PreparationStep step in PackingSteps.All.OfType<PreparationStep>())
            step.Apply(_prepared);
        _prepared.NameNodes();
        _shapes = ShapeInference.Infer(_prepared, batch: 1);
        Layers = WeightLayers.Find(_prepared, _shapes);
        if (declared is not null)
        {
            PackingOptions said = PackingOptions.Of(declared, Layers.Select(layer => layer.Name));
            options = options with { LayerPatterns = said.LayerPatterns, KeepDense = said.KeepDense };
        }

        (_options, _packing) = (options, new LayerPacking(_prepared, options));
        CheckNames();
        if (declared is not null)
            DeclaredWeights.Check(Layers, declared, _packing);
    }

    /// <summary>The layers with weights of the graph itself, in graph order.</summary>
    public IReadOnlyList<WeightLayer> Layers { get; }

    /// <summary>Nothing to pack here is no fault: there are layers elsewhere.</summary>
    private bool MayBeEmpty => _elsewhere is null || _elsewhere.Any(layer => layer.IsPacked);

    /// <exception cref="NothingPackedException">No layer can be packed, or none would become faster.</exception>
    public PackingDraft Plan()
    {
        var plan = new PackingPlan(_prepared.Graph.Name, [], LayoutPlan.None);
        foreach (PlanningStep step in PackingSteps.All.OfType<PlanningStep>())
            plan = step.Apply(this, plan);
        return Draw(plan);
    }

    /// <summary>Without the layers that save fewer bytes than the nodes around them take; null where there are none.</summary>
    /// <exception cref="NothingPackedException">No layer is left.</exception>
    public PackingDraft? WithoutSmallLayers(PackingPlan plan)
    {
        if (!plan.Packed.Any(IsSmall))
            return null;
        List<LayerPlan> layers = [.. plan.Layers.Select(layer => layer.IsPacked && IsSmall(layer)
            ? layer.KeepDense(
                $"it satisfies {layer.Pattern}, and packing it saves {layer.DenseBytes - layer.PackedBytes} bytes, fewer than the nodes "
                + "around it take")
            : layer)];
        if (!layers.Exists(layer => layer.IsPacked) && !MayBeEmpty)
            throw TooSmall(layers);
        return Draw(plan with { Layers = layers });

        static bool IsSmall(LayerPlan layer) => layer.DenseBytes - layer.PackedBytes < NodeBytes;
    }

    /// <summary>Finishes the packed model in place; tensors that stay are shared with the prepared copy.</summary>
    public PackingResult Write(PackingDraft draft)
    {
        foreach (WritingStep step in PackingSteps.All.OfType<WritingStep>())
            step.Apply(this, draft.Plan, draft.Graph);
        draft.Graph.Graph.ValueInfos.Clear(); // of tensors that are gone, and shapes that were only needed up to here
        draft.Graph.CheckGraph();
        return new PackingResult(draft.Graph, draft.Plan);
    }

    public PackingPlan FitLayers()
    {
        List<LayerPlan> layers = [.. Layers.Select(Fit)];
        CheckPacked(layers);
        return new PackingPlan(_prepared.Graph.Name, layers, LayoutPlan.None);
    }

    public PackingPlan ChooseFaster(PackingPlan plan)
    {
        if (_options.Faster is not { } faster)
            return plan;
        IReadOnlyDictionary<string, LayerPrediction> predictions = PackingChoice.Choose(
            _prepared, _shapes, Layers, plan.Packed.ToDictionary(layer => layer.Name, layer => layer.Pattern!), faster);
        List<LayerPlan> layers = [.. plan.Layers.Select(layer => predictions.GetValueOrDefault(layer.Name) is not { } prediction ? layer
            : (prediction.IsPacked ? layer : layer.KeepDense(prediction.Words(faster.LeastGain))) with { Prediction = prediction })];
        return layers.Exists(layer => layer.IsPacked) || MayBeEmpty
            ? plan with { Layers = layers }
            : throw new NothingPackedException(
                NothingPackedCause.NoGain, $"Packing would not make '{plan.ModelName}' faster here. Run it as it is, or pack all layers "
                + "that satisfy their pattern for the size of the file.", [.. layers, .. _elsewhere!]);
    }

    public void DrawLayers(PackingPlan plan, OnnxModel model)
    {
        var writer = new PackedNodeWriter(model, _options, _written);
        Dictionary<string, WeightLayer> layers = Layers.ToDictionary(layer => layer.Name);
        foreach (LayerPlan layer in plan.Packed)
            writer.Write(layers[layer.Name], _weights[layer.Name]);
        model.RemoveDeadNodes();
        model.SetOpsetVersion(OperatorSet.Domain, OperatorSet.Version);
    }

    private PackingDraft Draw(PackingPlan plan)
    {
        OnnxModel graph = _prepared.CloneSharingTensors();
        foreach (DrawingStep step in PackingSteps.All.OfType<DrawingStep>())
            step.Apply(this, plan, graph);
        HashSet<string> own = [.. _prepared.Nodes.Select(node => node.Name)];
        return new PackingDraft(plan with { Layout = LayoutReading.Read(graph, own) }, graph);
    }

    private LayerPlan Fit(WeightLayer layer)
    {
        ComplementaryPattern pattern = _options.LayerPatterns.GetValueOrDefault(layer.Name, _pattern);
        var dense = new LayerPlan(layer.Name, layer.Shape, null, null, layer.DenseBytes, layer.DenseBytes);
        if ((_options.KeepDense.GetValueOrDefault(layer.Name) ?? layer.ReasonAgainst(pattern) ?? layer.ReasonAgainstPacking
            ?? layer.FindNotFinite()) is { } reason)
            return dense.KeepDense(reason);
        long bytes = _packing.PackedBytes(layer, pattern);
        if (bytes >= dense.DenseBytes && !_options.AllowLarger)
            return dense.KeepDense($"packed it would take {bytes} bytes, and dense it takes {dense.DenseBytes}");
        (PackedTensor? weights, string? fault) = _packing.Pack(layer, pattern);
        if (weights is null)
            return dense.KeepDense(fault!);
        _weights[layer.Name] = weights;
        return dense with { Pattern = pattern, PackedBytes = weights.ByteCount };
    }

    private void CheckPacked(IReadOnlyList<LayerPlan> layers)
    {
        if (layers.Any(layer => layer.IsPacked) || MayBeEmpty)
            return;
        layers = [.. layers, .. _elsewhere!];
        if (PackedWeights.Nodes(_source).Any())
            throw new NothingPackedException(
                NothingPackedCause.Packed, $"'{_prepared.Graph.Name}' is packed already, expected a sparse model in standard ONNX. "
                + "Give the file that it was packed from.", []);
        if (layers.Count == 0)
            throw new NothingPackedException(
                NothingPackedCause.NoLayers, $"'{_prepared.Graph.Name}' has nothing to pack: {WeightLayers.NoLayers}", []);
        throw new NothingPackedException(
            NothingPackedCause.NotSatisfied, $"No layer of '{_prepared.Graph.Name}' can be packed by {_pattern}. Where the weights do not "
            + "satisfy it, train or prune the model onto it, or choose a smaller group.", layers);
    }

    private NothingPackedException TooSmall(IReadOnlyList<LayerPlan> layers) => new(
        NothingPackedCause.TooSmall, $"'{_prepared.Graph.Name}' is too small to gain: packed, the file would be larger than it is. Run it "
        + "as it is.", layers);

    private void CheckNames()
    {
        if (_elsewhere is null)
            return;
        string[] names = [.. Layers.Select(layer => layer.Name), .. _elsewhere.Select(layer => layer.Name)];
        foreach (string name in _options.LayerPatterns.Keys.Concat(_options.KeepDense.Keys).Except(names))
            throw new OnnxException(
                $"The model has no layer '{name}' with weights, expected one of: {string.Join(", ", names)}.");
    }
}
