using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// Finds the layers of a model that patterns apply to: convolutions and transposed ones over any dimensions, Gemm, MatMul with the
/// constant on either side, and the matrices of LSTM, GRU and RNN, where weights are constants, also int8 ones behind a
/// DequantizeLinear. Nodes without a name get one. What looks like a layer and is none: <see cref="FindOthers(OnnxModel)"/>.
/// </summary>
public static class WeightLayers
{
    /// <summary>Why there is nothing to pack or prune in a graph without layers.</summary>
    internal const string NoLayers = "it has no convolution, matrix product or recurrent layer with constant weights.";

    /// <returns>In graph order; those of graphs inside a node (If, Loop, Scan) where the node stands.</returns>
    /// <exception cref="OnnxException">The graph contradicts itself: shapes that do not fit, names that nothing makes.</exception>
    public static IReadOnlyList<WeightLayer> Find(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.NameNodes();
        return [.. FindWithBodies(model, ShapeInference.InferWithBodies(model, batch: 1))];
    }

    /// <summary>The layers of the graph itself, without those of graphs inside its nodes.</summary>
    /// <param name="model">All nodes have names.</param>
    /// <param name="shapes">Of all tensors, for a batch of 1.</param>
    internal static IReadOnlyList<WeightLayer> Find(OnnxModel model, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        using OnnxModel.Frozen frozen = model.Freeze();
        return [.. model.Nodes.SelectMany(n => Create(model, n, shapes))];
    }

    private static IEnumerable<WeightLayer> FindWithBodies(
        OnnxModel model, IReadOnlyDictionary<GraphProto, IReadOnlyDictionary<string, TensorInfo>> inferred)
    {
        IReadOnlyDictionary<string, TensorInfo> shapes = inferred[model.Graph];
        using OnnxModel.Frozen frozen = model.Freeze();
        foreach (NodeProto node in model.Nodes)
        {
            foreach (WeightLayer layer in Create(model, node, shapes))
                yield return layer;
            foreach ((_, GraphProto graph) in Subgraphs.Of(node))
                foreach (WeightLayer inner in FindWithBodies(model.Body(graph), inferred))
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
                    + (layers.Any(l => PatternFit.ReasonAgainst(l.Shape, pattern) is not null) ? ". Choose a smaller group." : ".")));
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

    /// <summary>The nodes that multiply as layers do and are none, with the reason: for a report.</summary>
    public static IReadOnlyList<OtherNode> FindOthers(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.NameNodes();
        Func<NodeProto, string?> call = FunctionInlining.ReasonAgainst(model.Proto);
        return [.. model.WithBodies().SelectMany(graph => graph.Nodes
            .Select(node => (Node: node, Reason: LayerOperators.Contains(node) && !Matrices(graph, node).Any()
                ? ReasonAgainst(graph, node)
                : call(node)))
            .Where(entry => entry.Reason is not null)
            .Select(entry => new OtherNode(entry.Node.Name, entry.Node.OpType, entry.Reason!)))];
    }

    private static string ReasonAgainst(OnnxModel graph, NodeProto node)
    {
        (TensorProto? tensor, NodeProto? dequantize) = Weights(graph, node.Input(1));
        if (tensor is null && node.Is("MatMul"))
            (tensor, dequantize) = Weights(graph, node.Input(0));
        return tensor is null ? "its weights are computed at run time"
            : dequantize is not null && Weights(graph, node.Input(1)).Tensor is null
                ? "its weights stand on the left, behind a DequantizeLinear"
            : dequantize is null && !IsFloat(tensor.DataType) || dequantize is not null && tensor.DataType != OnnxType.Int8
                ? $"its weights are {tensor.DataType.ToString().ToLowerInvariant()}, expected floating-point ones, or int8 ones behind a "
                    + "DequantizeLinear"
            : $"its weights are [{string.Join(", ", tensor.Dims)}], expected "
                + (node.OpType.StartsWith("Conv", StringComparison.Ordinal) ? "[outputs, channels, spatial…]" : "a matrix");
    }

    /// <summary>The constant matrices of a node, before anything is known of shapes.</summary>
    private static IEnumerable<(string Suffix, TensorProto Tensor, NodeProto? Dequantize, WeightForm Form)> Matrices(
        OnnxModel model, NodeProto node)
    {
        if (!LayerOperators.Contains(node))
            yield break;
        if (node.OpType is "LSTM" or "GRU" or "RNN")
        {
            foreach ((int input, string suffix) in ((int, string)[])[(1, "/W"), (2, "/R")])
                if (FindWeights(model, node.Input(input)) is { Tensor: { Dims: [> 0, > 0, > 0] } matrix, Dequantize: null })
                    yield return (suffix, matrix, null, WeightForm.Recurrent);
            yield break;
        }

        (TensorProto? tensor, NodeProto? dequantize) = FindWeights(model, node.Input(1));
        WeightForm form = node.OpType switch
        {
            "Conv" => WeightForm.Convolution,
            "ConvTranspose" => WeightForm.TransposedConvolution,
            "Gemm" when node.GetInt("transB", 0) != 0 => WeightForm.OutputsFirst,
            _ => WeightForm.InputsFirst,
        };
        if (tensor is null && node.Is("MatMul"))
            (tensor, form) = (FindWeights(model, node.Input(0)) is { Dequantize: null, Tensor: { } left } ? left : null, WeightForm.Left);
        bool isImage = form is WeightForm.Convolution or WeightForm.TransposedConvolution;
        if (tensor is not null && tensor.Dims.All(d => d > 0) && (isImage ? tensor.Dims.Count >= 3 : tensor.Dims.Count == 2)
            && !(form == WeightForm.TransposedConvolution && dequantize is not null))
            yield return ("", tensor, dequantize, form);
    }

    private static IEnumerable<WeightLayer> Create(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        foreach ((string suffix, TensorProto tensor, NodeProto? dequantize, WeightForm form) in Matrices(model, node))
        {
            string activations = node.Input(form == WeightForm.Left ? 1 : 0);
            TensorInfo input = shapes[activations], output = shapes[node.Output()];
            string name = node.Name + suffix;
            string read = node.Input(form == WeightForm.Left ? 0 : suffix == "/R" ? 2 : 1);
            WeightShape shape = Shape(node, tensor, form);
            yield return new WeightLayer(
                model, node, name, tensor, dequantize?.Input(0) ?? read, form, dequantize, shape, input,
                () => Workload(node, name, tensor, form, shape, input, output));
        }
    }

    private static WeightShape Shape(NodeProto node, TensorProto tensor, WeightForm form)
    {
        int[] dims = tensor.Shape();
        int groups = form is WeightForm.Convolution or WeightForm.TransposedConvolution ? Groups(node) : 1;
        return form switch
        {
            // a signal is an image of one row
            WeightForm.Convolution when dims.Length == 3 => new WeightShape([dims[0], dims[1], 1, dims[2]], groups),
            WeightForm.Convolution => new WeightShape(dims, groups),
            WeightForm.TransposedConvolution => dims[0] % groups == 0 && (long)dims[1] * groups <= int.MaxValue
                ? new WeightShape([dims[1] * groups, dims[0] / groups, .. dims[2..]], groups)
                : throw new OnnxException($"{node} has weights {tensor} in {groups} groups, which do not divide its input."),
            WeightForm.Recurrent => (long)dims[0] * dims[1] <= int.MaxValue ? WeightShape.Matrix(dims[0] * dims[1], dims[2])
                : throw new OnnxException($"{node} has weights {tensor}, which are too many."),
            WeightForm.InputsFirst => WeightShape.Matrix(dims[1], dims[0]),
            _ => WeightShape.Matrix(dims[0], dims[1]),
        };
    }

    private static int Groups(NodeProto node) => node.GetInt("group", 1) is >= 1 and <= int.MaxValue and var groups
        ? (int)groups
        : throw new OnnxException($"{node} has group {node.GetInt("group", 1)}, expected 1 or more.");

    private static LayerWorkload Workload(
        NodeProto node, string name, TensorProto tensor, WeightForm form, WeightShape shape, TensorInfo input, TensorInfo output)
    {
        switch (form)
        {
            case WeightForm.Convolution when tensor.Dims.Count <= 4:
                Window window = ReadWindow(node, shape);
                ConvolutionGeometry geometry = Geometry(
                    window, tensor.Dims.Count == 3 ? 1 : input.Size(2, node.Inputs[0]),
                    input.Size(input.Rank < 3 ? 2 : input.Rank - 1, node.Inputs[0]),
                    shape.Groups);
                return new LayerWorkload(name, "Conv", shape.Outputs, geometry.OutputPixels, shape.Inputs, geometry);
            case WeightForm.Convolution:
                return Product(2, output.Rank, output, node.Outputs[0]);
            case WeightForm.TransposedConvolution: // every pixel that it reads meets every weight once
                return Product(2, input.Rank, input, node.Inputs[0]);
            case WeightForm.Recurrent: // every step of the sequence
                return Product(0, 2, input, node.Inputs[0]);
            case WeightForm.Left:
                int width = input is { HasShape: true, Rank: 1 } ? 1
                    : output.Size(output.HasShape ? output.Rank - 1 : 0, node.Outputs[0]);
                LayerWorkload batch = Product(0, output.Rank - 2, output, node.Outputs[0]);
                return batch with { N = Columns((long)batch.N * width) };
            default:
                return Product(0, output.Rank - 1, output, node.Outputs[0]);
        }

        LayerWorkload Product(int from, int to, TensorInfo of, string tensorName)
        {
            int columns = of.HasShape ? 1 : of.Size(0, tensorName);
            for (int axis = from; axis < to; axis++)
                columns = Columns((long)columns * of.Size(axis, tensorName));
            return new LayerWorkload(name, "Gemm", shape.Outputs, columns, shape.Inputs);
        }

        int Columns(long count) => count <= int.MaxValue ? (int)count
            : throw new OnnxException($"{node} makes {count} columns, expected at most {int.MaxValue}.");
    }

    /// <summary>The window of a convolution over one or two dimensions as one over two.</summary>
    /// <param name="shape">Of four dimensions.</param>
    internal static Window ReadWindow(NodeProto node, WeightShape shape)
    {
        int[] kernel = [.. shape.Dimensions.Skip(2)];
        bool isSignal = kernel[0] == 1 && (Length("strides") == 1 || Length("pads") == 2 || Length("dilations") == 1
            || Length("kernel_shape") == 1);
        if (!isSignal)
            return Window.Read(node, kernel);
        var window = Window.Read(node, [kernel[1]]);
        return window with
        {
            Kernel = kernel,
            Strides = [1, window.Strides[0]],
            Pads = [0, window.Pads[0], 0, window.Pads[1]],
            Dilations = [1, window.Dilations[0]],
        };

        int? Length(string attribute) => node.FindInts(attribute)?.Length;
    }

    internal static ConvolutionGeometry Geometry(Window window, int height, int width, int groups)
    {
        (int top, int bottom) = window.PadsOf(0, height);
        (int left, int right) = window.PadsOf(1, width);
        var geometry = new ConvolutionGeometry(
            height, width, window.Kernel[0], window.Kernel[1], window.Strides[0], window.Strides[1],
            top, left, bottom, right, window.Dilations[0], window.Dilations[1], groups);
        return geometry.OutputHeight >= 1 && geometry.OutputWidth >= 1
            && (long)geometry.OutputHeight * geometry.OutputWidth <= int.MaxValue
            ? geometry
            : throw new OnnxException(
                $"A convolution over {height} × {width} pixels makes {geometry.OutputHeight} × {geometry.OutputWidth}, expected 1 to "
                + $"{int.MaxValue} in all.");
    }

    private static (TensorProto? Tensor, NodeProto? Dequantize) FindWeights(OnnxModel model, string name)
    {
        (TensorProto? tensor, NodeProto? dequantize) = Weights(model, name);
        bool supported = tensor is not null && (dequantize is null ? IsFloat(tensor.DataType) : tensor.DataType == OnnxType.Int8);
        return supported ? (tensor, dequantize) : default;
    }

    /// <summary>The constant that an input holds, of any type, perhaps behind a DequantizeLinear.</summary>
    private static (TensorProto? Tensor, NodeProto? Dequantize) Weights(OnnxModel model, string name)
    {
        if (name.Length == 0)
            return default;
        if (model.FindConstant(name) is { } tensor)
            return (tensor, null);
        return model.FindProducer(name) is { } node && node.Is("DequantizeLinear") && model.FindConstant(node.Input(0)) is { } quantized
            ? (quantized, node)
            : default;
    }

    private static bool IsFloat(OnnxType type) => type is OnnxType.Float or OnnxType.Float16 or OnnxType.BFloat16 or OnnxType.Double;
}
