using Dovetail.Core.Packing;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// An int8 layer in QDQ form: DequantizeLinear nodes before a Conv or Gemm for input, weights and bias, then
/// optionally Relu or Clip, then QuantizeLinear. Activations are uint8 with one scale, weights int8 and symmetric.
/// </summary>
internal sealed record QuantizedLayer(
    NodeProto DequantizeInput, NodeProto QuantizeOutput, NodeProto? Clamp, float[] WeightScales, string? BiasName,
    LayerQuantization Quantization)
{
    /// <summary>Reads the nodes around a layer; null and a reason where they have another form.</summary>
    public static (QuantizedLayer? Layer, string? Reason) Read(OnnxModel model, WeightLayer layer)
    {
        NodeProto node = layer.Node;
        if (model.FindProducer(node.Inputs[0]) is not { } dequantize || !dequantize.Is("DequantizeLinear"))
            return (null, "its input is not quantized");
        NodeProto? next = model.SingleConsumer(node.Outputs[0]), clamp = next is not null
            && PackedActivation.FindClamp(model, next) is not null ? next : null;
        if (clamp is not null)
            next = model.SingleConsumer(clamp.Outputs[0]);
        if (next is null || !next.Is("QuantizeLinear"))
            return (null, "its output is not quantized by its only reader");
        if (Affine(model, dequantize) is not { } input || Affine(model, next) is not { } output)
            return (null, "its activations are not uint8 with one scale and zero point");
        NodeProto weight = layer.Dequantize!;
        float[] scales = model.Constant(weight.Inputs[1], weight).ToFloats();
        if (scales.Length == 1)
            Array.Fill(scales = new float[layer.Shape.Outputs], model.Constant(weight.Inputs[1], weight).ToFloats()[0]);
        bool outputsLast = node.Is("MatMul") || (node.Is("Gemm") && node.GetInt("transB", 0) == 0);
        long axis = weight.GetInt("axis", 1);
        if (layer.Shape.Outputs > 1 && model.Constant(weight.Inputs[1], weight).ElementCount() > 1
            && (axis < 0 ? axis + layer.Tensor.Dims.Count : axis) != (outputsLast ? 1 : 0))
            return (null, $"its weights have scales along axis {axis}, expected one an output");
        if (scales.Length != layer.Shape.Outputs)
            return (null, $"its weights have {scales.Length} scales, expected one an output, {layer.Shape.Outputs}");
        if (weight.HasInput(2) && model.Constant(weight.Inputs[2], weight).ToInt64s().Any(z => z != 0))
            return (null, "its weights are not symmetric");
        string? biasName = null;
        int[]? bias = null;
        if (node.HasInput(2))
        {
            if (ReadBias(model, node, input.Scale, scales) is not { } found)
                return (null, "its bias is not int32 with the scale input·weight");
            (biasName, bias) = found;
        }

        return (new QuantizedLayer(dequantize, next, clamp, scales, biasName,
            new LayerQuantization(input.Scale, input.ZeroPoint, output.Scale, output.ZeroPoint, bias)), null);
    }

    private static (float Scale, byte ZeroPoint)? Affine(OnnxModel model, NodeProto node)
    {
        if (!node.HasInput(2) || model.FindConstant(node.Inputs[1]) is not { } scale
            || model.FindConstant(node.Inputs[2]) is not { DataType: OnnxType.UInt8 } zero)
            return null;
        return scale.ElementCount() == 1 && zero.ElementCount() == 1 ? (scale.ToFloats()[0], zero.Read<byte>()[0]) : null;
    }

    private static (string Name, int[] Values)? ReadBias(OnnxModel model, NodeProto node, float inputScale, float[] weightScales)
    {
        if (model.FindProducer(node.Inputs[2]) is not { } dequantize || !dequantize.Is("DequantizeLinear")
            || model.FindInitializer(dequantize.Inputs[0]) is not { DataType: OnnxType.Int32 } bias
                || bias.ElementCount() != weightScales.Length)
            return null;
        float[] scales = model.Constant(dequantize.Inputs[1], dequantize).ToFloats();
        for (int m = 0; m < weightScales.Length; m++)
            if (MathF.Abs(scales[scales.Length == 1 ? 0 : m] - inputScale * weightScales[m]) > 1e-5f * inputScale * weightScales[m])
                return null;
        return (bias.Name, bias.Read<int>());
    }
}
