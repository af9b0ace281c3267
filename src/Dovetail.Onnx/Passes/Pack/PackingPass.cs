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
/// 5. The result is never larger than the source. Where it came out so, the layers go that save fewer bytes than the nodes around
///    them take, and it is written again.
/// </summary>
public static class PackingPass
{
    /// <summary>Packs a copy of a model by the patterns that it declares (<see cref="LayerPatterns"/>).</summary>
    /// <exception cref="OnnxException">It declares none, or a layer that is not there.</exception>
    /// <exception cref="PatternException">
    /// A layer does not satisfy what is declared for it, or none can be packed; the message lists each with its reason.
    /// </exception>
    public static PackingResult PackDeclared(OnnxModel sparseModel, PackingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sparseModel);
        options ??= new PackingOptions();
        return Pack(Declared(sparseModel, options), sparseModel, options);
    }

    /// <summary>Packs a copy of the model.</summary>
    /// <exception cref="PatternException">
    /// No layer can be packed, or nothing would become smaller; the message lists each layer with its reason.
    /// </exception>
    public static PackingResult Pack(OnnxModel sparseModel, ComplementaryPattern pattern, PackingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sparseModel);
        ArgumentNullException.ThrowIfNull(pattern);
        options ??= new PackingOptions();
        return Pack(new PackingJob(sparseModel, pattern, options), sparseModel, options);
    }

    /// <summary>What <see cref="Pack(OnnxModel, ComplementaryPattern, PackingOptions?)"/> does, without the model.</summary>
    /// <exception cref="PatternException">No layer can be packed, or none would become faster.</exception>
    /// <remarks>Before the last step: where the file would come out larger than the source, more layers stay dense than the plan
    /// says.</remarks>
    public static PackingPlan Plan(OnnxModel sparseModel, ComplementaryPattern pattern, PackingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sparseModel);
        ArgumentNullException.ThrowIfNull(pattern);
        return new PackingJob(sparseModel, pattern, options ?? new PackingOptions()).Plan().Plan;
    }

    private static PackingJob Declared(OnnxModel sparseModel, PackingOptions options)
    {
        IReadOnlyDictionary<string, ComplementaryPattern> patterns = LayerPatterns.Find(sparseModel)
            ?? throw new OnnxException($"The model declares no patterns of its layers (metadata '{LayerPatterns.Metadata}'); say which "
                + "pattern to pack.");
        ComplementaryPattern any = patterns.Values.FirstOrDefault()
            ?? throw new OnnxException(
                "The model declares all its layers dense; there is nothing to pack. " +
                "Prune or train it first, or say which pattern to pack.");
        return new PackingJob(sparseModel, any, options, patterns);
    }

    private static PackingResult Pack(PackingJob job, OnnxModel source, PackingOptions options)
    {
        PackingResult result = job.Write(job.Plan());
        if (options.AllowLarger)
            return result;
        long before = source.ByteCount, after = result.Model.ByteCount;
        if (after > before && job.WithoutSmallLayers(result.Plan) is { } smaller)
        {
            result = job.Write(smaller);
            after = result.Model.ByteCount;
        }

        return after <= before ? result : throw new PatternException(
            $"Packed, '{source.Graph.Name}' would take {after} bytes, more than the {before} that it takes now; there is nothing to gain.");
    }
}
