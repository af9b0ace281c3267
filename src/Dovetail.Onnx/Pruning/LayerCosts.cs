using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;

namespace Dovetail.Onnx.Pruning;

/// <summary>What a layer costs under a pattern, in the unit of a budget. Latency is measured or modelled by the caller.</summary>
internal static class LayerCosts
{
    /// <summary>Multiply-accumulates for one input: a slot of the packed weights, padding included, times the pixels or tokens.</summary>
    public static long MultiplyAccumulates(WeightLayer layer, ComplementaryPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return (long)new CellLayout(pattern, layer.Shape).ValueCount * layer.Workload.N;
    }

    /// <summary>Bytes of values, owners and, for int8, scales in a file.</summary>
    public static Func<WeightLayer, ComplementaryPattern, long> Bytes(DType type = DType.Float32) =>
        (layer, pattern) => PackedSize.Of(new CellLayout(pattern, layer.Shape), type, scales: type == DType.Int8).TotalBytes;
}
