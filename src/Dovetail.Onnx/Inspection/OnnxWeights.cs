using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Inspection;

/// <summary>
/// The layers of an ONNX file: Conv of any rank, Gemm and MatMul with constant weights, also behind a
/// DequantizeLinear, and the packed operators. It needs no shape inference, so operators that the rest of the tool
/// cannot run are no obstacle.
/// </summary>
internal static class OnnxWeights
{
    public static IReadOnlyList<WeightEntry> Read(OnnxModel model) =>
        [.. model.WithBodies().SelectMany(graph => graph.Nodes.Select(node => Read(graph, node)).OfType<WeightEntry>())];

    /// <returns>Null for a node without weights that patterns apply to.</returns>
    public static WeightEntry? Read(OnnxModel model, NodeProto node)
    {
        if (PackedWeights.IsPacked(node))
            return WeightEntry.Of(node.Name, node.OpType, PackedWeights.Read(model, node)) with
            {
                Operands = PackedWeights.IsQuantized(node) ? null : node.Get(OperatorAttributes.Operands),
            };
        if (!(node.Is("Conv") || node.Is("Gemm") || node.Is("MatMul")))
            return null;
        TensorProto? tensor = model.FindConstant(node.Input(1));
        NodeProto? dequantize = null;
        if (tensor is null && model.FindProducer(node.Input(1)) is { } producer && producer.Is("DequantizeLinear"))
            (tensor, dequantize) = (model.FindConstant(producer.Inputs[0]), producer);
        bool supported = dequantize is null
            ? tensor?.DataType is OnnxType.Float or OnnxType.Float16 or OnnxType.BFloat16 or OnnxType.Double
            : tensor?.DataType is OnnxType.Int8 or OnnxType.UInt8;
        if (!supported || tensor is null)
            return null;
        int[] dims = tensor.Shape();
        if (node.Is("Conv") ? dims.Length < 3 : dims.Length != 2)
            return null;
        bool inputsFirst = node.Is("MatMul") || (node.Is("Gemm") && node.GetInt("transB", 0) == 0);
        WeightShape shape = inputsFirst ? WeightShape.Matrix(dims[1], dims[0])
            : node.Is("Conv") ? new WeightShape(dims, (int)node.GetInt("group", 1))
            : new WeightShape(dims);
        long bytes = (long)shape.Count * TensorData.ElementBytes(tensor.DataType);
        return new WeightEntry(
            node.Name, node.OpType, shape, TypeName(tensor.DataType), bytes, bytes, Declared: null,
            () => ToMatrix(dequantize is null ? tensor.ToFloats() : Dequantize(model, tensor, dims, dequantize), shape, inputsFirst));
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

    private static float[] ToMatrix(float[] tensor, WeightShape shape, bool inputsFirst)
    {
        var matrix = new float[shape.Count];
        if (!inputsFirst)
        {
            shape.ToMatrixOrder<float>(tensor, matrix);
            return matrix;
        }

        for (int input = 0; input < shape.Inputs; input++)
            for (int output = 0; output < shape.Outputs; output++)
                matrix[output * shape.Inputs + input] = tensor[input * shape.Outputs + output];
        return matrix;
    }

    private static string TypeName(OnnxType type) => type switch
    {
        OnnxType.Float => "float32",
        OnnxType.Double => "float64",
        _ => type.ToString().ToLowerInvariant(),
    };
}
