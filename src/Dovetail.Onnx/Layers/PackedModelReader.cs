using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// What simulator and RTL see of a network: its layers with weights in graph order, packed ones from the
/// operators of ai.dovetail and dense ones with the pattern "1:1", or the one that the model declares for them. Works on dense and QDQ
/// models too. A layer whose int8 weights meet activations that are not quantized has no <see cref="PackedLayer.Quantization"/>. A layer
/// whose
/// sizes are not known is named in <see cref="PackedModel.Unsized"/>.
/// </summary>
public static class PackedModelReader
{
    /// <exception cref="OnnxException">Initializers do not fit, or shapes contradict each other.</exception>
    public static PackedModel Read(OnnxModel packed) => Read(packed, new Dictionary<string, ComplementaryPattern>());

    /// <param name="patterns">
    /// Of layers in dense storage whose weights satisfy one, by name: what a packed model would say of them. Those that do not are "1:1".
    /// </param>
    /// <exception cref="OnnxException">Initializers do not fit, or shapes contradict each other.</exception>
    public static PackedModel Read(OnnxModel packed, IReadOnlyDictionary<string, ComplementaryPattern> patterns)
    {
        ArgumentNullException.ThrowIfNull(packed);
        ArgumentNullException.ThrowIfNull(patterns);
        ILookup<NodeProto, WeightLayer> dense = WeightLayers.Find(packed).ToLookup(layer => layer.Node);
        var layers = new List<PackedLayer>();
        var unsized = new List<string>();
        IReadOnlyDictionary<GraphProto, IReadOnlyDictionary<string, TensorInfo>> inferred =
            ShapeInference.InferWithBodies(packed, batch: 1);
        foreach (OnnxModel graph in packed.WithBodies())
        {
            IReadOnlyDictionary<string, TensorInfo> shapes = inferred[graph.Graph];
            using OnnxModel.Frozen frozen = graph.Freeze();
            foreach (NodeProto node in graph.Nodes)
            {
                try
                {
                    if (PackedWeights.IsPacked(node))
                        layers.Add(ReadPacked(graph, node, shapes));
                    else if (node.Is(OperatorSet.DepthwiseConv))
                        layers.Add(ReadDepthwise(graph, node, shapes));
                    else
                        layers.AddRange(dense[node].Select(layer => ReadDense(graph, layer, patterns.GetValueOrDefault(layer.Name))));
                }
                catch (UndeterminedException)
                {
                    unsized.Add(node.Name);
                }
            }
        }

        return new PackedModel(packed.Graph.Name, layers)
        {
            Unsized = unsized,
            Alternatives = Alternatives(packed, [.. layers.Select(layer => layer.Name)]),
        };
    }

    private static List<string> Alternatives(OnnxModel model, HashSet<string> layers)
    {
        var found = new List<string>();
        foreach (NodeProto node in model.WithBodies().SelectMany(graph => graph.Nodes).Where(node => node.Is("If")))
        {
            string[][] branches = [.. Subgraphs.Of(node).Select(entry => model.Body(entry.Graph).WithBodies()
                .SelectMany(graph => graph.Nodes).SelectMany(inner => LayersOf(inner.Name)).ToArray())];
            if (branches.Count(branch => branch.Length > 0) > 1)
                found.AddRange(branches.SelectMany(branch => branch));
        }

        return [.. found.Distinct()];

        IEnumerable<string> LayersOf(string node) => ((string[])[node, node + "/W", node + "/R"]).Where(layers.Contains);
    }

    private static PackedLayer ReadPacked(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        PackedTensor weights = PackedWeights.Read(model, node);
        TensorInfo input = shapes[node.Inputs[0]], output = shapes[node.Outputs[0]];
        LayerQuantization? quantization = null;
        if (PackedWeights.IsQuantized(node))
        {
            quantization = new LayerQuantization(
                Scalar<float>(model, node, InputNames.InputScale), Scalar<byte>(model, node, InputNames.InputZeroPoint),
                Scalar<float>(model, node, InputNames.OutputScale), Scalar<byte>(model, node, InputNames.OutputZeroPoint),
                node.HasInput(InputNames.Bias) ? model.Constant(node.Input(InputNames.Bias), node).Read<int>() : null);
            CheckActivation(node, PackedActivation.Of(node), quantization);
        }

        int outputs = weights.Shape.Outputs, inputs = weights.Shape.Inputs;
        if (!PackedWeights.IsConvolution(node))
        {
            int columns = output.HasShape ? 1 : output.Size(0, node.Outputs[0]);
            for (int axis = 0; axis < output.Rank - 1; axis++)
                columns = (long)columns * output.Size(axis, node.Outputs[0]) is <= int.MaxValue and var product ? (int)product
                    : throw new OnnxException($"{node} makes {output}, more than {int.MaxValue} rows.");
            return new PackedLayer(
                new LayerWorkload(node.Name, "Gemm", outputs, columns, inputs), weights, node.Inputs[0], node.Outputs[0], quantization);
        }

        int[] kernel = [weights.Shape.Dimensions[2], weights.Shape.Dimensions[3]];
        ConvolutionGeometry geometry = WeightLayers.Geometry(
            Window.Read(node, kernel), input.Size(1, node.Inputs[0]), input.Size(2, node.Inputs[0]), weights.Shape.Groups);
        var workload = new LayerWorkload(node.Name, "Conv", outputs, geometry.OutputPixels, inputs, geometry);
        return new PackedLayer(workload, weights, node.Inputs[0], node.Outputs[0], quantization, ChannelsLast: true);
    }

    /// <summary>A depthwise convolution in NHWC: [kh, kw, C] floats, one channel a group.</summary>
    private static PackedLayer ReadDepthwise(OnnxModel model, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        (WeightShape shape, float[] weights) = DepthwiseWeights.Read(model, node);
        TensorInfo input = shapes[node.Inputs[0]];
        ConvolutionGeometry geometry = WeightLayers.Geometry(
            Window.Read(node, [.. shape.Dimensions.Skip(2)]), input.Size(1, node.Inputs[0]), input.Size(2, node.Inputs[0]), shape.Groups);
        return new PackedLayer(
            new LayerWorkload(node.Name, "Conv", shape.Outputs, geometry.OutputPixels, shape.Inputs, geometry),
            Packer.Pack<float>(weights, new CellLayout(ComplementaryPattern.Dense, shape)), node.Inputs[0], node.Outputs[0],
            ChannelsLast: true);
    }

    private static PackedLayer ReadDense(OnnxModel model, WeightLayer layer, ComplementaryPattern? pattern)
    {
        if (!layer.IsQuantized)
        {
            (LayerWorkload workload, WeightShape shape) = AsMatrixOrImage(layer);
            return new PackedLayer(
                workload, Stored<float>(layer, shape, layer.GetWeights(), pattern, null), layer.Node.Inputs[layer.IsLeft ? 1 : 0],
                layer.Node.Outputs[0]);
        }

        (QuantizedLayer? quantized, _) = QuantizedLayer.Read(model, layer);
        if (quantized is null)
            return new PackedLayer(
                layer.Workload, Stored<sbyte>(layer, layer.Shape, layer.GetInt8Weights(), pattern, null), layer.Node.Inputs[0],
                layer.Node.Outputs[0]);
        if (quantized.Clamp is { } clamp)
            CheckActivation(layer.Node, PackedActivation.FindClamp(model, clamp)!, quantized.Quantization);
        return new PackedLayer(
            layer.Workload, Stored<sbyte>(layer, layer.Shape, layer.GetInt8Weights(), pattern, quantized.WeightScales),
            quantized.DequantizeInput.Inputs[0], quantized.QuantizeOutput.Outputs[0], quantized.Quantization);
    }

    /// <summary>
    /// What an array sees of a layer, the weights in the order that they have.
    /// 1. A transposed convolution multiplies every pixel that it reads by every weight: one over single pixels with an output for each tap
    ///    of an output; where the products are added is no matter of multipliers.
    /// 2. A convolution over three dimensions slides over an image whose rows are those of all planes.
    /// </summary>
    private static (LayerWorkload Workload, WeightShape Shape) AsMatrixOrImage(WeightLayer layer)
    {
        (LayerWorkload workload, WeightShape shape) = (layer.Workload, layer.Shape);
        if (layer.Op == "ConvTranspose")
        {
            int outputs = checked(shape.Outputs * shape.Taps);
            return (
                new LayerWorkload(workload.Name, "Conv", outputs, workload.N, shape.Channels, new ConvolutionGeometry(
                    1, workload.N, 1, 1, Groups: shape.Groups)),
                new WeightShape([outputs, shape.Channels, 1, 1], shape.Groups));
        }

        if (layer.SpatialRank <= 2)
            return (workload, shape);
        int width = shape.Dimensions[^1], height = shape.Taps / width;
        return (
            workload with
            {
                Op = "Conv",
                Convolution = new ConvolutionGeometry(height, workload.N + width - 1, height, width, Groups: shape.Groups),
            },
            new WeightShape([shape.Outputs, shape.Channels, height, width], shape.Groups));
    }

    private static PackedTensor<T> Stored<T>(
        WeightLayer layer, WeightShape shape, T[] weights, ComplementaryPattern? pattern, float[]? scales)
        where T : unmanaged
    {
        if (pattern is not null && layer.ReasonAgainst(pattern) is null)
        {
            try
            {
                return Packer.Pack<T>(weights, new CellLayout(pattern, shape), scales: scales);
            }
            catch (PackingException)
            {
                // the weights do not satisfy it
            }
        }

        return Packer.Pack<T>(weights, new CellLayout(ComplementaryPattern.Dense, shape), scales: scales);
    }

    private static T Scalar<T>(OnnxModel model, NodeProto node, string input)
        where T : unmanaged
    {
        TensorProto tensor = model.Constant(node.Input(input), node);
        return tensor.Read<T>() is [var value] ? value : throw new OnnxException(
            $"{node}: input {tensor} has {tensor.ElementCount()} values, expected one.");
    }

    // Where the bounds quantize to 0 and 255, saturation is the Relu or Clip; the layer record has no other.
    private static void CheckActivation(NodeProto node, PackedActivation activation, LayerQuantization quantization)
    {
        byte least = LayerQuantization.Quantize(activation.Least, quantization.OutputScale, quantization.OutputZeroPoint);
        byte greatest = LayerQuantization.Quantize(activation.Greatest, quantization.OutputScale, quantization.OutputZeroPoint);
        if (least != 0 || greatest != 255)
            throw new OnnxException($"{node} has the activation {activation.Name}, which in uint8 clips to {least} … {greatest}, expected "
                + "0 … 255: calibrate the output behind the activation.");
    }
}
