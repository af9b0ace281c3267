using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Layout;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>
/// Replaces one layer by its packed operator. A convolution gets a Transpose on either side;
/// <see cref="ChannelsLastRegions"/> moves and cancels them afterwards.
/// </summary>
internal sealed class PackedNodeWriter(OnnxModel model, PackingOptions options)
{
    /// <summary>Packs a layer in place; returns its packed bytes, or why it cannot be packed.</summary>
    public (long Bytes, string? Reason) Write(WeightLayer layer, ComplementaryPattern pattern)
    {
        var layout = new CellLayout(pattern, layer.Shape);
        if (layer.Node.GetString("auto_pad", "NOTSET").StartsWith("SAME", StringComparison.Ordinal) && !layer.HasFixedSize)
            return (0, "its padding (auto_pad SAME) depends on the size of its input, which is not fixed");
        try
        {
            return layer.IsQuantized ? WriteQuantized(layer, layout) : WriteFloat(layer, layout);
        }
        catch (PackingException error)
        {
            return (0, error.Message);
        }
    }

    /// <summary>Values and owners, in bytes.</summary>
    public static long PackedBytes(WeightLayer layer, ComplementaryPattern pattern, DType valueType)
    {
        int valueBytes = layer.IsQuantized ? sizeof(sbyte) : valueType == DType.Float32 ? sizeof(float) : sizeof(ushort);
        var layout = new CellLayout(pattern, layer.Shape);
        return (long)layout.ValueCount * valueBytes
            + (long)layout.OwnerRows * OwnerCodec.RowBytes(layout.OwnerColumns, pattern.IndexBits);
    }

    private (long, string?) WriteFloat(WeightLayer layer, CellLayout layout)
    {
        NodeProto node = layer.Node;
        string bias = node.Input(2);
        if (node.GetFloat("alpha", 1) != 1 || node.GetFloat("beta", 1) != 1)
            return (0, "its alpha or beta is not 1 and cannot be folded");
        PackedTensor packed = PackedCast.To(Packer.Pack<float>(layer.GetWeights(), layout), options.ValueType);
        if (bias.Length > 0)
        {
            if (BiasRow.Find(model, layer) is not { } row)
                return (0, "its bias is no constant row of one number an output");
            if (model.FindInitializer(bias) is not { DataType: OnnxType.Float, Dims: [_] } tensor || tensor.Dims[0] != row.Length)
            {
                bias = model.UniqueName($"{layer.Name}.bias_row");
                model.AddInitializer(TensorData.Create<float>(bias, [row.Length], row));
            }
        }

        var result = new NodeProto { Name = node.Name, Domain = OnnxModel.DovetailDomain, OpType = node.Is("Conv") ? "PackedConv" : "PackedGemm" };
        (string values, string owners) = PackedWeights.Write(model, result, packed);
        if (options.BFloat16Operands)
            result.With(PackedWeights.OperandsAttribute, "bf16");
        result.Inputs.AddRange([node.Inputs[0], values, owners]);
        if (bias.Length > 0)
            result.Inputs.Add(bias);
        Put(layer, result, node.Outputs[0]);
        return (packed.ByteCount, null);
    }

    private (long, string?) WriteQuantized(WeightLayer layer, CellLayout layout)
    {
        (QuantizedLayer? quantized, string? reason) = QuantizedLayer.Read(model, layer);
        if (quantized is null)
            return (0, reason);
        NodeProto node = layer.Node;
        PackedTensor packed = Packer.Pack<sbyte>(layer.GetInt8Weights(), layout, scales: quantized.WeightScales);
        var result = new NodeProto { Name = node.Name, Domain = OnnxModel.DovetailDomain, OpType = node.Is("Conv") ? "PackedQLinearConv" : "PackedQLinearGemm" };
        (string values, string owners) = PackedWeights.Write(model, result, packed);
        string scales = model.UniqueName($"{node.Name}.weight_scale");
        model.AddInitializer(TensorData.Create<float>(scales, [quantized.WeightScales.Length], quantized.WeightScales));
        NodeProto dequantize = quantized.DequantizeInput, quantize = quantized.QuantizeOutput;
        result.Inputs.AddRange(
        [
            dequantize.Inputs[0], dequantize.Inputs[1], dequantize.Inputs[2], values, owners, scales, quantize.Inputs[1], quantize.Inputs[2],
        ]);
        if (quantized.BiasName is { } bias)
            result.Inputs.Add(bias);
        if (quantized.Clamp is { } clamp)
        {
            PackedActivation.FindClamp(model, clamp)!.WriteTo(result);
            model.Nodes.Remove(clamp);
        }

        Put(layer, result, quantize.Outputs[0]);
        model.Nodes.Remove(quantize);
        return (packed.ByteCount, null);
    }

    private void Put(WeightLayer layer, NodeProto packed, string output)
    {
        int at = model.Nodes.IndexOf(layer.Node);
        model.Nodes.RemoveAt(at);
        if (!layer.Node.Is("Conv"))
        {
            packed.Outputs.Add(output);
            model.Nodes.Insert(at, packed);
            return;
        }

        var window = Window.Read(layer.Node, [.. layer.Shape.Dimensions.Skip(2)]);
        // SAME pads by the image's size: only then must it be known.
        int[] pads = window.AutoPad == "VALID" ? [0, 0, 0, 0] : window.Pads;
        if (window.AutoPad.StartsWith("SAME", StringComparison.Ordinal))
        {
            ConvolutionGeometry g = layer.Workload.Convolution!;
            pads = [g.PadTop, g.PadLeft, g.PadBottom, g.PadRight];
        }

        packed.With("strides", window.Strides).With("pads", pads).With("dilations", window.Dilations).With("group", layer.Shape.Groups);
        NodeProto before = ChannelsLastRegions.ToChannelsLast(model, packed.Inputs[0]);
        packed.Inputs[0] = before.Outputs[0];
        packed.Outputs.Add(model.UniqueName($"{output}_nhwc"));
        NodeProto after = ChannelsLastRegions.ToChannelsFirst(model, packed.Outputs[0], output);
        model.Nodes.InsertRange(at, [before, packed, after]);
    }
}
