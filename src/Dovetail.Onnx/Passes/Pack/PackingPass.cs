using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Choose;
using Dovetail.Onnx.Passes.Fuse;
using Dovetail.Onnx.Passes.Layout;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// Sparse ONNX to packed ONNX (docs/operators.md), for floating-point and for QDQ models.
/// 1. Batch norms are folded, fully connected layers brought to one form.
/// 2. Layers whose weights satisfy the pattern become operators of ai.dovetail; each of the others keeps a reason.
/// 3. NHWC regions grow until Transposes stand only at their borders.
/// 4. Bias, residual and activation are fused.
/// 5. The result is never larger than the source: a layer whose packed weights would be stays dense; so do small ones where
///    the nodes around them would take more than they save.
/// 6. Where that was asked for, layers that would not become faster stay dense (<see cref="PackingChoice"/>).
/// </summary>
public static class PackingPass
{
    /// <summary>More than a packed node, its attributes and Transposes take in a file.</summary>
    private const long NodeBytes = 1024;

    /// <summary>Packs a copy of a model by the patterns that it declares (<see cref="LayerPatterns"/>).</summary>
    /// <exception cref="OnnxException">It declares none, or a layer that is not there.</exception>
    /// <exception cref="PatternException">A layer does not satisfy what is declared for it, or none can be packed; the message lists each with its reason.</exception>
    public static PackingResult PackDeclared(OnnxModel sparseModel, PackingOptions? options = null)
    {
        options ??= new PackingOptions();
        IReadOnlyDictionary<string, ComplementaryPattern> patterns = LayerPatterns.Find(sparseModel)
            ?? throw new OnnxException($"The model declares no patterns of its layers (metadata '{LayerPatterns.Metadata}'); say which pattern to pack.");
        ComplementaryPattern any = patterns.Values.FirstOrDefault() ?? throw new OnnxException("The model declares all its layers dense; there is nothing to pack. Prune or train it first, or say which pattern to pack.");
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(Prepared(sparseModel));
        PackingOptions declared = PackingOptions.Of(patterns, layers.Select(l => l.Name));
        options = options with { LayerPatterns = declared.LayerPatterns, KeepDense = declared.KeepDense };
        CheckNames(layers, options);
        DeclaredWeights.Check(layers, patterns);
        return Pack(sparseModel, any, options);
    }

    /// <summary>Packs a copy of the model.</summary>
    /// <exception cref="PatternException">No layer can be packed, or nothing would become smaller; the message lists each layer with its reason.</exception>
    public static PackingResult Pack(OnnxModel sparseModel, ComplementaryPattern pattern, PackingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sparseModel);
        ArgumentNullException.ThrowIfNull(pattern);
        options ??= new PackingOptions();
        PackingResult result = PackOnce(sparseModel, pattern, options);
        if (options.Faster is { } faster)
        {
            IReadOnlyDictionary<string, LayerPrediction> predictions = PackingChoice.Choose(
                Prepared(sparseModel), result.Layers.Where(l => l.Pattern is not null).ToDictionary(l => l.Name, l => l.Pattern!), faster);
            result = KeepSlowDense(sparseModel, pattern, ref options, result, predictions);
            result = result with { Layers = [.. result.Layers.Select(l => l with { Prediction = predictions.GetValueOrDefault(l.Name) })] };
        }

        long before = sparseModel.ByteCount, after = result.Model.ByteCount;
        if (options.AllowLarger || after <= before)
            return result;
        var small = new Dictionary<string, string>(options.KeepDense);
        foreach (PackedLayerReport layer in result.Layers.Where(l => l.Pattern is not null && l.DenseBytes - l.PackedBytes < NodeBytes))
            small[layer.Name] = $"packing it saves {layer.DenseBytes - layer.PackedBytes} bytes, fewer than the nodes around it take";
        if (small.Count > options.KeepDense.Count)
        {
            Dictionary<string, LayerPrediction?> predictions = result.Layers.ToDictionary(l => l.Name, l => l.Prediction);
            result = PackOnce(sparseModel, pattern, options with { KeepDense = small });
            result = result with { Layers = [.. result.Layers.Select(l => l with { Prediction = predictions[l.Name] })] };
        }

        after = result.Model.ByteCount;
        return after <= before ? result : throw new PatternException($"Packed, '{sparseModel.Graph.Name}' would take {after} bytes, more than the {before} that it takes now; there is nothing to gain.");
    }

    // Packs again without the layers that would not gain, where there are such.
    private static PackingResult KeepSlowDense(
        OnnxModel sparseModel, ComplementaryPattern pattern, ref PackingOptions options, PackingResult all, IReadOnlyDictionary<string, LayerPrediction> predictions)
    {
        double leastGain = options.Faster!.LeastGain;
        Dictionary<string, string> slow = predictions.Where(p => !p.Value.IsPacked).ToDictionary(p => p.Key, p => p.Value.Words(leastGain));
        if (slow.Count == 0)
            return all;
        if (all.Layers.All(l => l.Pattern is null || slow.ContainsKey(l.Name)))
            throw new PatternException(
                $"Packing would not make '{sparseModel.Graph.Name}' faster here: {string.Join("; ", all.Layers.Select(l => $"{l.Name}: {l.DenseReason ?? slow[l.Name]}"))}. " +
                "Run it as it is, or pack all layers that satisfy their pattern for the size of the file.");
        options = options with { KeepDense = options.KeepDense.Concat(slow).ToDictionary() };
        return PackOnce(sparseModel, pattern, options);
    }

    private static OnnxModel Prepared(OnnxModel sparseModel)
    {
        OnnxModel model = sparseModel.Clone();
        BatchNormFolding.Fold(model);
        GemmNormalization.Apply(model);
        GemmDecomposition.Apply(model);
        return model;
    }

    private static PackingResult PackOnce(OnnxModel sparseModel, ComplementaryPattern pattern, PackingOptions options)
    {
        OnnxModel model = Prepared(sparseModel);
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        CheckNames(layers, options);
        var writer = new PackedNodeWriter(model, options);
        List<PackedLayerReport> reports = [.. layers.Select(l => PackLayer(writer, l, options.LayerPatterns.GetValueOrDefault(l.Name, pattern), options))];
        if (!reports.Exists(r => r.Pattern is not null) && sparseModel.Nodes.Any(n => n.Domain == OnnxModel.DovetailDomain))
            throw new PatternException($"'{model.Graph.Name}' is packed already, expected a sparse model in standard ONNX. Give the file that it was packed from.");
        if (!reports.Exists(r => r.Pattern is not null))
            throw new PatternException(
                $"Pattern {pattern} fits no layer of '{model.Graph.Name}': " +
                (reports.Count == 0 ? WeightLayers.NoLayers : WeightLayers.Reasons(reports.Select(r => (r.Name, r.DenseReason))) + ". Train or prune the model onto the pattern, or choose a smaller group."));
        model.RemoveDeadNodes();
        model.Graph.ValueInfos.Clear();
        model.SetOpsetVersion(OnnxModel.DovetailDomain, 1);
        ChannelsLastRegions.Grow(model);
        EpilogueFusion.Apply(model);
        model.RemoveMetadata(LayerPatterns.Metadata); // the nodes themselves say it now
        LayerPatterns.DeclareCommon(model, reports.Select(r => r.Pattern).OfType<ComplementaryPattern>());
        model.CheckGraph();
        return new PackingResult(model, reports);
    }

    private static PackedLayerReport PackLayer(PackedNodeWriter writer, WeightLayer layer, ComplementaryPattern pattern, PackingOptions options)
    {
        long dense = layer.DenseBytes;
        string? reason = options.KeepDense.GetValueOrDefault(layer.Name) ?? layer.ReasonAgainst(pattern);
        long packed = PackedNodeWriter.PackedBytes(layer, pattern, options.ValueType);
        if (reason is null && packed >= dense && !options.AllowLarger)
            reason = $"packed it would take {packed} bytes, and dense it takes {dense}";
        if (reason is null)
            (packed, reason) = writer.Write(layer, pattern);
        return reason is null
            ? new PackedLayerReport(layer.Name, pattern, null, dense, packed)
            : new PackedLayerReport(layer.Name, null, reason, dense, dense);
    }

    private static void CheckNames(IReadOnlyList<WeightLayer> layers, PackingOptions options)
    {
        foreach (string name in options.LayerPatterns.Keys.Concat(options.KeepDense.Keys))
            if (!layers.Any(l => l.Name == name))
                throw new OnnxException($"The model has no layer '{name}' with weights, expected one of: {string.Join(", ", layers.Select(l => l.Name))}.");
    }
}
