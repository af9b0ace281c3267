using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// Finds the layers of a model that patterns apply to: Conv (two spatial dimensions), Gemm and MatMul whose
/// weights are initializers, also int8 ones behind a DequantizeLinear. Nodes without a name get one.
/// </summary>
public static class WeightLayers
{
    /// <summary>Why there is nothing to pack or prune in a graph without layers.</summary>
    internal const string NoLayers = "it has no Conv over two dimensions and no Gemm or MatMul with a constant matrix.";

    /// <returns>In graph order; those of graphs inside a node (If, Loop, Scan) where the node stands.</returns>
    /// <exception cref="OnnxException">The graph contradicts itself: shapes that do not fit, names that nothing makes.</exception>
    public static IReadOnlyList<WeightLayer> Find(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.NameNodes();
        return [.. FindWithBodies(model)];
    }

    /// <summary>The layers of the graph itself, without those of graphs inside its nodes.</summary>
    /// <param name="model">All nodes have names.</param>
    /// <param name="shapes">Of all tensors, for a batch of 1.</param>
    internal static IReadOnlyList<WeightLayer> Find(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes) =>
        [.. model.Nodes.Select(n => Create(model, n, shapes)).OfType<WeightLayer>()];

    private static IEnumerable<WeightLayer> FindWithBodies(OnnxModel model)
    {
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model, batch: 1);
        foreach (NodeProto node in model.Nodes)
        {
            if (Create(model, node, shapes) is { } layer)
                yield return layer;
            foreach ((_, GraphProto graph) in Subgraphs.Of(node))
                foreach (WeightLayer inner in FindWithBodies(model.Body(graph)))
                    yield return inner;
        }
    }

    /// <summary>The layers of the model that the pattern fits.</summary>
    /// <exception cref="PatternException">It fits none; the message says why, by the first layers.</exception>
    public static IReadOnlyList<WeightLayer> FindFitting(OnnxModel model, ComplementaryPattern pattern)
    {
        IReadOnlyList<WeightLayer> layers = Find(model);
        List<WeightLayer> fitting = [.. layers.Where(l => l.ReasonAgainst(pattern) is null)];
        if (fitting.Count == 0)
            throw new PatternException(
                $"Pattern {pattern} fits no layer of '{model.Graph.Name}': " +
                (layers.Count == 0 ? NoLayers : Reasons(layers.Select(l => (l.Name, l.ReasonAgainst(pattern))))
                    + ". Choose a smaller group."));
        return fitting;
    }

    /// <summary>Why layers stay dense, for an error message: the first few, and how many more there are.</summary>
    internal static string Reasons(IEnumerable<(string Name, string? Reason)> layers)
    {
        const int shown = 6;
        List<string> reasons = [.. layers.Select(l => $"{l.Name}: {l.Reason?.TrimEnd('.')}")];
        string first = string.Join("; ", reasons.Take(shown));
        return reasons.Count > shown ? $"{first}; and {reasons.Count - shown} more" : first;
    }

    private static WeightLayer? Create(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        if (!(node.Is("Conv") || node.Is("Gemm") || node.Is("MatMul")))
            return null;
        (TensorProto? tensor, NodeProto? dequantize) = FindWeights(model, node.Input(1));
        if (tensor is null)
            return null;
        TensorInfo input = shapes[node.Inputs[0]], output = shapes[node.Outputs[0]];
        int[] dims = tensor.Shape();
        if (node.Is("Conv"))
        {
            if (dims.Length != 4)
                return null;
            int groups = (int)node.GetInt("group", 1);
            var shape = new WeightShape(dims, groups);
            var window = Window.Read(node, dims[2..]);
            return new WeightLayer(node, tensor, inputsFirst: false, dequantize, shape, input.IsFixed, () =>
            {
                ConvolutionGeometry geometry = Geometry(window, input.Size(2, node.Inputs[0]), input.Size(3, node.Inputs[0]), groups);
                return new LayerWorkload(node.Name, "Conv", shape.Outputs, geometry.OutputPixels, shape.Inputs, geometry);
            });
        }

        if (dims.Length != 2 || (node.Is("Gemm") && node.GetInt("transA", 0) != 0))
            return null;
        bool inputsFirst = node.Is("MatMul") || node.GetInt("transB", 0) == 0;
        WeightShape matrix = inputsFirst ? WeightShape.Matrix(dims[1], dims[0]) : WeightShape.Matrix(dims[0], dims[1]);
        return new WeightLayer(node, tensor, inputsFirst, dequantize, matrix, input.IsFixed, () =>
        {
            int columns = output.HasShape ? 1 : output.Size(0, node.Outputs[0]);
            for (int axis = 0; axis < output.Rank - 1; axis++)
                columns = checked(columns * output.Size(axis, node.Outputs[0]));
            return new LayerWorkload(node.Name, "Gemm", matrix.Outputs, columns, matrix.Inputs);
        });
    }

    internal static ConvolutionGeometry Geometry(Window window, int height, int width, int groups)
    {
        (int top, int bottom) = window.PadsOf(0, height);
        (int left, int right) = window.PadsOf(1, width);
        return new ConvolutionGeometry(
            height, width, window.Kernel[0], window.Kernel[1], window.Strides[0], window.Strides[1],
            top, left, bottom, right, window.Dilations[0], window.Dilations[1], groups);
    }

    private static (TensorProto? Tensor, NodeProto? Dequantize) FindWeights(OnnxModel model, string name)
    {
        if (model.FindConstant(name) is { } tensor)
            return tensor.DataType is OnnxType.Float or OnnxType.Float16 or OnnxType.BFloat16 or OnnxType.Double ? (tensor, null) : default;
        return model.FindProducer(name) is { } node && node.Is("DequantizeLinear")
            && model.FindConstant(node.Inputs[0]) is { DataType: OnnxType.Int8 } quantized
            ? (quantized, node)
            : default;
    }
}
