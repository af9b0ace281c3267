using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Inspection;

/// <summary>
/// The layers of an ONNX file as <see cref="WeightLayers"/> finds them, the packed operators, and the depthwise convolutions that packing
/// turned to NHWC.
/// </summary>
internal static class OnnxWeights
{
    /// <exception cref="OnnxException">The graph contradicts itself.</exception>
    public static IReadOnlyList<WeightEntry> Read(OnnxModel model)
    {
        ILookup<NodeProto, WeightLayer> layers = WeightLayers.Find(model).ToLookup(layer => layer.Node);
        return [.. model.WithBodies().SelectMany(graph => graph.Nodes.SelectMany(node => Read(graph, node, layers[node])))];
    }

    /// <returns>None for a node without weights that patterns apply to; two for a recurrent layer.</returns>
    public static IEnumerable<WeightEntry> Read(OnnxModel model, NodeProto node, IEnumerable<WeightLayer> layers)
    {
        if (PackedWeights.IsPacked(node))
            return [WeightEntry.Of(node.Name, node.OpType, PackedWeights.Read(model, node)) with
            {
                Operands = PackedWeights.IsQuantized(node) ? null : node.Get(OperatorAttributes.Operands),
            }];
        return node.Is(OperatorSet.DepthwiseConv) ? [Depthwise(model, node)] : layers.Select(Of);
    }

    private static WeightEntry Depthwise(OnnxModel model, NodeProto node)
    {
        (WeightShape shape, float[] weights) = DepthwiseWeights.Read(model, node);
        long bytes = (long)shape.Count * sizeof(float);
        return new WeightEntry(node.Name, node.OpType, shape, "float32", bytes, bytes, Declared: null, () => weights);
    }

    private static WeightEntry Of(WeightLayer layer)
    {
        TensorProto tensor = layer.Tensor;
        return new WeightEntry(
            layer.Name, layer.Op, layer.Shape, TypeName(tensor.DataType), layer.DenseBytes, layer.DenseBytes, Declared: null,
            () => layer.Dequantize is { } dequantize
                ? ToMatrix(Dequantize(layer.Graph, tensor, tensor.Shape(), dequantize), layer)
                : layer.GetWeights())
        {
            Readers = layer.Readers,
        };
    }

    /// <summary>(q − zero point)·scale, a scale for the tensor or for each entry along an axis; other forms count as scale 1.</summary>
    private static float[] Dequantize(OnnxModel model, TensorProto tensor, int[] dims, NodeProto node)
    {
        long[] stored = tensor.ToInt64s();
        float[] scales = model.FindConstant(node.Input(1))?.ToFloats() ?? [1f];
        long[] zeros = node.HasInput(2) && model.FindConstant(node.Input(2)) is { } zero ? zero.ToInt64s() : [0];
        long axis = node.GetInt("axis", 1);
        int at = (int)(axis < 0 ? axis + dims.Length : axis), size = at >= 0 && at < dims.Length ? dims[at] : 1;
        int inner = at >= 0 && at < dims.Length ? dims[(at + 1)..].Aggregate(1, (product, dimension) => product * dimension) : 1;
        if (scales.Length != 1 && scales.Length != size)
            scales = [1f];
        if (zeros.Length != 1 && zeros.Length != size)
            zeros = [0];
        var weights = new float[stored.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            int entry = i / inner % size;
            weights[i] = (stored[i] - zeros[zeros.Length == 1 ? 0 : entry]) * scales[scales.Length == 1 ? 0 : entry];
        }

        return weights;
    }

    private static float[] ToMatrix(float[] tensor, WeightLayer layer) => layer.ToMatrix(tensor);

    private static string TypeName(OnnxType type) => type switch
    {
        OnnxType.Float => "float32",
        OnnxType.Double => "float64",
        _ => type.ToString().ToLowerInvariant(),
    };
}
