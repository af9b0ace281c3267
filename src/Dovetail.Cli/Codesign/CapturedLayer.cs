using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Kernels.Reference;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;

namespace Dovetail.Cli.Codesign;

/// <summary>An int8 layer with what ONNX Runtime fed to it and took from it for one real image.</summary>
/// <param name="Input">uint8, [height, width, channels] for a convolution, [rows, K] for a product.</param>
/// <param name="Output">uint8, [pixels, outputs]; null where the model has no such tensor (fused away).</param>
internal sealed record CapturedLayer(PackedLayer Layer, byte[] Input, byte[]? Output)
{
    public PackedTensor<sbyte> Weights => (PackedTensor<sbyte>)Layer.Weights;

    /// <summary>As the kernels see the layer: a product over n rows is a 1×1 convolution.</summary>
    public ConvolutionGeometry Geometry => Layer.Workload.Convolution ?? PreparedLayer.RowsOf(Layer.Workload.N);

    /// <summary>One of our operators; otherwise ONNX Runtime's own, whose integers are not exact on every CPU.</summary>
    public bool IsPacked => !Weights.Pattern.IsDense;

    /// <summary>What the layer makes of <see cref="Input"/> by the scalar reference: uint8, [pixels, outputs].</summary>
    public byte[] ReferenceOutput()
    {
        LayerQuantization quantization = Layer.Quantization!;
        return QuantizedReference.Requantize(
            QuantizedReference.Accumulate(Weights, Input, 1, Geometry, quantization.InputZeroPoint, quantization.Bias),
            QuantizedSpecification.ComputeFactors(quantization.InputScale, Weights.Scales, quantization.OutputScale),
            quantization.OutputZeroPoint);
    }

    /// <summary>Runs the model on one image and keeps what each int8 layer read and made.</summary>
    /// <param name="exactIntegers">False: ONNX Runtime's own int8 operators as they run where nothing is asked for.</param>
    public static IReadOnlyList<CapturedLayer> Capture(
        OnnxModel model, PackedModel layers, float[] image, IReadOnlyList<long> shape, bool exactIntegers = true)
    {
        List<PackedLayer> integers = [.. layers.Layers.Where(layer => layer.Quantization is not null)];
        string[] names = [.. integers.SelectMany(layer => (string[])[layer.InputName, layer.OutputName]).Distinct()];
        OnnxModel open = GraphSlicer.WithOutputs(model, names);
        IReadOnlyDictionary<string, CapturedTensor> tensors =
            ActivationCapture.Capture(open.ToBytes(), names, image, [1, .. shape], exactIntegers);
        return [.. integers.Select(layer => new CapturedLayer(
            layer, Bytes(tensors[layer.InputName], layer), tensors[layer.OutputName] is CapturedBytes ? Bytes(
                tensors[layer.OutputName], layer) : null))];
    }

    /// <summary>A layer's tensor with channels last, whatever its layout in the model.</summary>
    private static byte[] Bytes(CapturedTensor tensor, PackedLayer layer)
    {
        byte[] values = ((CapturedBytes)tensor).Values;
        if (layer.Workload.Convolution is null || layer.ChannelsLast)
            return values;
        int channels = (int)tensor.Dimensions[1], pixels = values.Length / channels;
        var result = new byte[values.Length];
        for (int c = 0; c < channels; c++)
            for (int p = 0; p < pixels; p++)
                result[p * channels + c] = values[c * pixels + p];
        return result;
    }
}
