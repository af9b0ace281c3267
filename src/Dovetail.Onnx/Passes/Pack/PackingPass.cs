using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// Sparse ONNX to packed ONNX (docs/operators.md), for floating-point and for QDQ models.
/// 1. The model is prepared, once: <see cref="PackingSteps"/> names each pass.
/// 2. A plan says for each layer with weights which pattern it is packed by or why it stays dense.
/// 3. The packed graph is drawn by the plan, which then says too where images are NHWC and where Transposes stand.
/// 4. The model is written.
/// 5. The graphs inside nodes (If, Loop, Scan) are packed before the graph around them, by the same steps.
/// 6. The result is never larger than the source. Where it came out so, the layers go that save fewer bytes than the nodes around
///    them take, and it is written again.
/// </summary>
public static class PackingPass
{
    /// <summary>Packs a copy of a model by the patterns that it declares (<see cref="LayerPatterns"/>).</summary>
    /// <exception cref="OnnxException">It declares none, or a layer that is not there.</exception>
    /// <exception cref="PatternException">A layer does not satisfy what is declared for it.</exception>
    /// <exception cref="NothingPackedException">No layer can be packed, or nothing would become smaller.</exception>
    public static PackingResult PackDeclared(OnnxModel sparseModel, PackingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sparseModel);
        IReadOnlyDictionary<string, ComplementaryPattern> declared = Declared(sparseModel);
        return Pack(sparseModel, declared.Values.First(), options ?? new PackingOptions(), declared);
    }

    /// <summary>Packs a copy of the model.</summary>
    /// <exception cref="NothingPackedException">
    /// No layer can be packed, or nothing would become smaller; the message lists each layer with its reason.
    /// </exception>
    public static PackingResult Pack(OnnxModel sparseModel, ComplementaryPattern pattern, PackingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sparseModel);
        ArgumentNullException.ThrowIfNull(pattern);
        return Pack(sparseModel, pattern, options ?? new PackingOptions(), declared: null);
    }

    /// <summary>What <see cref="Pack(OnnxModel, ComplementaryPattern, PackingOptions?)"/> does, without the model.</summary>
    /// <exception cref="NothingPackedException">No layer can be packed, or none would become faster.</exception>
    /// <remarks>Before the last step: where the file would come out larger than the source, more layers stay dense than the plan
    /// says.</remarks>
    public static PackingPlan Plan(OnnxModel sparseModel, ComplementaryPattern pattern, PackingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sparseModel);
        ArgumentNullException.ThrowIfNull(pattern);
        (PackingJob job, PackingPlan? bodies) = Begin(sparseModel, pattern, options ?? new PackingOptions(), declared: null);
        return Share(sparseModel, Join(job.Plan().Plan, bodies));
    }

    private static IReadOnlyDictionary<string, ComplementaryPattern> Declared(OnnxModel sparseModel)
    {
        IReadOnlyDictionary<string, ComplementaryPattern> patterns = LayerPatterns.Find(sparseModel)
            ?? throw new OnnxException($"The model declares no patterns of its layers (metadata '{LayerPatterns.Metadata}'); say which "
                + "pattern to pack.");
        return patterns.Count > 0 ? patterns : throw new OnnxException(
            "The model declares all its layers dense; there is nothing to pack. " +
            "Prune or train it first, or say which pattern to pack.");
    }

    private static PackingResult Pack(
        OnnxModel source, ComplementaryPattern pattern, PackingOptions options,
        IReadOnlyDictionary<string, ComplementaryPattern>? declared)
    {
        (PackingJob job, PackingPlan? bodies) = Begin(source, pattern, options, declared);
        PackingResult result = job.Write(job.Plan());
        long before = source.ByteCount, after = result.Model.ByteCount;
        if (after > before && !options.AllowLarger && job.WithoutSmallLayers(result.Plan) is { } smaller)
        {
            result = job.Write(smaller);
            after = result.Model.ByteCount;
        }

        if (after > before && !options.AllowLarger)
            throw new NothingPackedException(
                NothingPackedCause.TooSmall,
                $"Packed, '{source.Graph.Name}' would take {after} bytes, more than the {before} that it takes "
                + "now; there is nothing to gain.", []);
        result = result with { Plan = Share(source, Join(result.Plan, bodies)) };
        LayerPatterns.DeclareCommon(result.Model, result.Plan.Packed.Select(layer => layer.Pattern!));
        return result;
    }

    /// <summary>Prepares the graph of a model; the graphs inside its nodes are packed before, each for itself.</summary>
    /// <returns>The job, and what was done to the layers of the graphs inside; null where there are none.</returns>
    private static (PackingJob Job, PackingPlan? Bodies) Begin(
        OnnxModel source, ComplementaryPattern pattern, PackingOptions options,
        IReadOnlyDictionary<string, ComplementaryPattern>? declared)
    {
        if (!source.Nodes.SelectMany(Subgraphs.Of).Any())
            return (new PackingJob(source, pattern, options, declared, []), null);
        OnnxModel model = source.Clone();
        model.NameNodes();
        PackingPlan bodies = PackBodies(model, pattern, options, declared, []);
        return (new PackingJob(model, pattern, options, declared, bodies.Layers), bodies);
    }

    private static PackingPlan PackBodies(
        OnnxModel model, ComplementaryPattern pattern, PackingOptions options,
        IReadOnlyDictionary<string, ComplementaryPattern>? declared, Dictionary<WrittenWeights, NodeProto> written)
    {
        var done = new PackingPlan(model.Graph.Name, [], LayoutPlan.None);
        foreach (AttributeProto attribute in model.Nodes.SelectMany(node => node.Attributes))
        {
            if (attribute.G is { } graph)
                attribute.G = PackBody(graph);
            for (int i = 0; i < attribute.Graphs.Count; i++)
                attribute.Graphs[i] = PackBody(attribute.Graphs[i]);
        }

        return done;

        GraphProto PackBody(GraphProto graph)
        {
            OnnxModel body = model.Body(graph);
            done = Join(done, PackBodies(body, pattern, options, declared, written));
            var job = new PackingJob(body, pattern, options, declared, elsewhere: null, written);
            if (job.Layers.Count == 0)
                return graph;
            PackingDraft draft = job.Plan();
            done = Join(done, draft.Plan);
            return draft.Plan.Packed.Any() ? job.Write(draft).Model.Graph : graph;
        }
    }

    /// <summary>Names the layers that read the weights of another one.</summary>
    private static PackingPlan Share(OnnxModel source, PackingPlan plan)
    {
        Dictionary<string, string> first = WeightLayers.Find(source.CloneSharingTensors()).GroupBy(layer => layer.Tensor)
            .Where(readers => readers.Skip(1).Any())
            .SelectMany(readers => readers.Skip(1).Select(layer => (layer.Name, First: readers.First().Name)))
            .ToDictionary(entry => entry.Name, entry => entry.First);
        return first.Count == 0 ? plan : plan with
        {
            Layers = [.. plan.Layers.Select(layer => layer with { SharedWith = first.GetValueOrDefault(layer.Name) })],
        };
    }

    private static PackingPlan Join(PackingPlan plan, PackingPlan? other) => other is null ? plan : plan with
    {
        Layers = [.. plan.Layers, .. other.Layers],
        Layout = new LayoutPlan([.. plan.Layout.Regions, .. other.Layout.Regions], [.. plan.Layout.Transposes, .. other.Layout.Transposes]),
    };
}
