using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// What simulator and RTL see of a network: its layers with weights in graph order, packed ones from the
/// operators of ai.dovetail, dense ones with the pattern "1:1". Works on dense and QDQ models too.
/// </summary>
public static class PackedModelReader
{
    /// <exception cref="OnnxException">Initializers do not fit, shapes are unknown, or an int8 layer is not in QDQ form.</exception>
    public static PackedModel Read(OnnxModel packed)
    {
        ArgumentNullException.ThrowIfNull(packed);
        Dictionary<NodeProto, WeightLayer> dense = WeightLayers.Find(packed).ToDictionary(l => l.Node);
        var layers = new List<PackedLayer>();
        foreach (OnnxModel graph in packed.WithBodies())
        {
            IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(graph, batch: 1);
            foreach (NodeProto node in graph.Nodes)
            {
                if (PackedWeights.IsPacked(node))
                    layers.Add(ReadPacked(graph, node, shapes));
                else if (dense.TryGetValue(node, out WeightLayer? layer))
                    layers.Add(ReadDense(graph, layer));
            }
        }

        return new PackedModel(packed.Graph.Name, layers);
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
                columns = checked(columns * output.Size(axis, node.Outputs[0]));
            return new PackedLayer(
                new LayerWorkload(node.Name, "Gemm", outputs, columns, inputs), weights, node.Inputs[0], node.Outputs[0], quantization);
        }

        int[] kernel = [weights.Shape.Dimensions[2], weights.Shape.Dimensions[3]];
        ConvolutionGeometry geometry = WeightLayers.Geometry(
            Window.Read(node, kernel), input.Size(1, node.Inputs[0]), input.Size(2, node.Inputs[0]), weights.Shape.Groups);
        var workload = new LayerWorkload(node.Name, "Conv", outputs, geometry.OutputPixels, inputs, geometry);
        return new PackedLayer(workload, weights, node.Inputs[0], node.Outputs[0], quantization, ChannelsLast: true);
    }

    private static PackedLayer ReadDense(OnnxModel model, WeightLayer layer)
    {
        var layout = new CellLayout(ComplementaryPattern.Dense, layer.Shape);
        if (!layer.IsQuantized)
            return new PackedLayer(
                layer.Workload, Packer.Pack<float>(layer.GetWeights(), layout), layer.Node.Inputs[0], layer.Node.Outputs[0]);
        (QuantizedLayer? quantized, string? reason) = QuantizedLayer.Read(model, layer);
        if (quantized is null)
            throw new OnnxException($"{layer.Node} has int8 weights, but {reason}; expected the QDQ form with uint8 activations.");
        if (quantized.Clamp is { } clamp)
            CheckActivation(layer.Node, PackedActivation.FindClamp(model, clamp)!, quantized.Quantization);
        return new PackedLayer(
            layer.Workload, Packer.Pack<sbyte>(layer.GetInt8Weights(), layout, scales: quantized.WeightScales),
            quantized.DequantizeInput.Inputs[0], quantized.QuantizeOutput.Outputs[0], quantized.Quantization);
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
