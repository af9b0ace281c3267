using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>Packs the weights of single layers, each once, or says why it cannot be done. The model stays.</summary>
internal sealed class LayerPacking(OnnxModel model, PackingOptions options)
{
    private readonly Dictionary<string, (PackedTensor? Weights, string? Reason)> _tried = [];

    /// <summary>As the operator stores them: the type of the values that was asked for, or int8 with scales.</summary>
    /// <param name="pattern">The same for every call with the layer.</param>
    public (PackedTensor? Weights, string? Reason) Pack(WeightLayer layer, ComplementaryPattern pattern)
    {
        if (layer.ReasonAgainstPacking is { } kind)
            return (null, kind);
        if (layer.Node.GetString("auto_pad", "NOTSET").StartsWith("SAME", StringComparison.Ordinal) && !layer.HasFixedSize)
            return (null, "its padding (auto_pad SAME) depends on the size of its input, which is not fixed");
        if (layer.Node.GetFloat("alpha", 1) != 1 || layer.Node.GetFloat("beta", 1) != 1)
            return (null, "its alpha or beta is not 1 and cannot be folded");
        if (layer.Node.GetInt("transA", 0) != 0)
            return (null, "it reads its input transposed (transA)");
        return layer.IsQuantized ? PackQuantized(layer, pattern) : PackFloat(layer, pattern);
    }

    /// <summary>Why the weights do not satisfy the pattern; null where they do.</summary>
    public string? Fault(WeightLayer layer, ComplementaryPattern pattern) => Try(layer, pattern).Reason;

    /// <summary>Values and owners, in bytes.</summary>
    public long PackedBytes(WeightLayer layer, ComplementaryPattern pattern)
    {
        int valueBytes = layer.IsQuantized ? sizeof(sbyte) : ValueType(layer) == DType.Float32 ? sizeof(float) : sizeof(ushort);
        var layout = new CellLayout(pattern, layer.Shape);
        return (long)layout.ValueCount * valueBytes
            + (long)layout.OwnerRows * OwnerCodec.RowBytes(layout.OwnerColumns, pattern.IndexBits);
    }

    /// <summary>Half-precision weights stay what they are, unless another type is asked for.</summary>
    private DType ValueType(WeightLayer layer) => (options.ValueType, layer.WeightType) switch
    {
        (DType.Float32, OnnxType.Float16) => DType.Float16,
        (DType.Float32, OnnxType.BFloat16) => DType.BFloat16,
        _ => options.ValueType,
    };

    private (PackedTensor?, string?) PackFloat(WeightLayer layer, ComplementaryPattern pattern)
    {
        (PackedTensor? packed, string? reason) = Try(layer, pattern);
        if (packed is null)
            return (null, reason);
        try
        {
            packed = PackedCast.To((PackedTensor<float>)packed, ValueType(layer));
        }
        catch (PackingException error)
        {
            return (null, error.Message);
        }

        return layer.Node.HasInput(2) && BiasRow.Find(model, layer) is null
            ? (null, "its bias is no constant row of one number an output")
            : (packed, null);
    }

    private (PackedTensor?, string?) PackQuantized(WeightLayer layer, ComplementaryPattern pattern)
    {
        (QuantizedLayer? quantized, string? reason) = QuantizedLayer.Read(model, layer);
        if (quantized is null)
            return (null, reason);
        (PackedTensor? packed, reason) = Try(layer, pattern);
        return packed is PackedTensor<sbyte> integers
            ? (new PackedTensor<sbyte>(integers.Layout, integers.Values, integers.Owners, quantized.WeightScales), null)
            : (null, reason);
    }

    private (PackedTensor? Weights, string? Reason) Try(WeightLayer layer, ComplementaryPattern pattern)
    {
        if (_tried.TryGetValue(layer.Name, out (PackedTensor? Weights, string? Reason) known))
            return known;
        var layout = new CellLayout(pattern, layer.Shape);
        try
        {
            known.Weights = layer.IsQuantized
                ? Packer.Pack<sbyte>(layer.GetInt8Weights(), layout)
                : Packer.Pack<float>(layer.GetWeights(), layout);
        }
        catch (PackingException error)
        {
            known = (null, error.Message);
        }

        return _tried[layer.Name] = known;
    }
}
