using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// Replaces one layer by its packed operator. A convolution gets a Transpose on either side;
/// <see cref="ChannelsLastRegions"/> moves and cancels them afterwards.
/// </summary>
/// <param name="model">A copy of the model that the layers were found in.</param>
internal sealed class PackedNodeWriter(OnnxModel model, PackingOptions options)
{
    /// <param name="packed">As <see cref="LayerPacking"/> made it.</param>
    public void Write(WeightLayer layer, PackedTensor packed)
    {
        NodeProto node = model.FindNode(layer.Name)!;
        NodeProto result = DovetailNodes.New(OperatorSet.Packed(node.Is("Conv"), layer.IsQuantized), node.Name, [node.Inputs[0]], []);
        if (layer.IsQuantized)
        {
            (QuantizedLayer? quantized, _) = QuantizedLayer.Read(model, layer);
            PackedWeights.Write(model, result, packed);
            WriteQuantized(node, result, quantized!);
            Put(layer, node, result, quantized!.QuantizeOutput.Outputs[0]);
            model.Nodes.Remove(quantized.QuantizeOutput);
            return;
        }

        string bias = node.HasInput(2) ? Bias(layer, node.Inputs[2]) : "";
        PackedWeights.Write(model, result, packed);
        if (options.BFloat16Operands)
            result.With(OperatorAttributes.Operands, OperandNames.BFloat16);
        if (bias.Length > 0)
            result.SetInput(InputNames.Bias, bias);
        Put(layer, node, result, node.Outputs[0]);
    }

    private string Bias(WeightLayer layer, string bias)
    {
        float[] row = BiasRow.Find(model, layer)!;
        if (model.FindInitializer(bias) is { DataType: OnnxType.Float, Dims: [var length] } && length == row.Length)
            return bias;
        return model.AddInitializer(TensorData.Create<float>(model.UniqueName($"{layer.Name}.bias_row"), [row.Length], row)).Name;
    }

    private void WriteQuantized(NodeProto node, NodeProto result, QuantizedLayer quantized)
    {
        NodeProto dequantize = quantized.DequantizeInput, quantize = quantized.QuantizeOutput;
        string scales = model.UniqueName($"{node.Name}.weight_scale");
        model.AddInitializer(TensorData.Create<float>(scales, [quantized.WeightScales.Length], quantized.WeightScales));
        result.SetInput(InputNames.X, dequantize.Inputs[0])
            .SetInput(InputNames.InputScale, dequantize.Inputs[1]).SetInput(InputNames.InputZeroPoint, dequantize.Inputs[2])
            .SetInput(InputNames.WeightScales, scales)
            .SetInput(InputNames.OutputScale, quantize.Inputs[1]).SetInput(InputNames.OutputZeroPoint, quantize.Inputs[2]);
        if (quantized.BiasName is { } bias)
            result.SetInput(InputNames.Bias, bias);
        if (quantized.Clamp is { } clamp)
        {
            PackedActivation.FindClamp(model, clamp)!.WriteTo(result);
            model.Nodes.Remove(clamp);
        }
    }

    private void Put(WeightLayer layer, NodeProto node, NodeProto packed, string output)
    {
        int at = model.Nodes.IndexOf(node);
        model.Nodes.RemoveAt(at);
        if (!node.Is("Conv"))
        {
            packed.Outputs.Add(output);
            model.Nodes.Insert(at, packed);
            return;
        }

        var window = Window.Read(node, [.. layer.Shape.Dimensions.Skip(2)]);
        // SAME pads by the image's size: only then must it be known.
        int[] pads = window.AutoPad == "VALID" ? [0, 0, 0, 0] : window.Pads;
        if (window.AutoPad.StartsWith("SAME", StringComparison.Ordinal))
        {
            ConvolutionGeometry g = layer.Workload.Convolution!;
            pads = [g.PadTop, g.PadLeft, g.PadBottom, g.PadRight];
        }

        packed.With(OperatorAttributes.Strides, window.Strides).With(OperatorAttributes.Pads, pads)
            .With(OperatorAttributes.Dilations, window.Dilations).With(OperatorAttributes.Group, layer.Shape.Groups);
        NodeProto before = ChannelsLastRegions.ToChannelsLast(model, packed.Inputs[0]);
        packed.Inputs[0] = before.Outputs[0];
        packed.Outputs.Add(model.UniqueName($"{output}_nhwc"));
        NodeProto after = ChannelsLastRegions.ToChannelsFirst(model, packed.Outputs[0], output);
        model.Nodes.InsertRange(at, [before, packed, after]);
    }
}
