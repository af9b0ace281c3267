using Dovetail.Core.Workloads;

namespace Dovetail.Core.Packing;

/// <summary>
/// What the simulator and the RTL see of a network: its layers with weights, in order. Dense layers
/// stand in it with the pattern "1:1". Read from a packed ONNX file by Dovetail.Onnx.
/// </summary>
public sealed record PackedModel(string Name, IReadOnlyList<PackedLayer> Layers)
{
    /// <summary>Layers that are not among <see cref="Layers"/>, because only a run tells how large what they read is.</summary>
    public IReadOnlyList<string> Unsized { get; init; } = [];

    /// <summary>Layers in the two branches of an If, of which a run takes one.</summary>
    public IReadOnlyList<string> Alternatives { get; init; } = [];
}

/// <summary>One layer of a packed model.</summary>
/// <param name="Workload">Its product and geometry for batch 1.</param>
/// <param name="Weights">fp32 or int8 values with owners.</param>
/// <param name="InputName">The tensor that feeds the layer, to capture its activations by.</param>
/// <param name="OutputName">The tensor that it makes.</param>
/// <param name="Quantization">Scales and zero points of an int8 layer; null for floating point.</param>
/// <param name="ChannelsLast">True where a convolution's input and output tensors are NHWC; false for NCHW.</param>
public sealed record PackedLayer(
    LayerWorkload Workload,
    PackedTensor Weights,
    string InputName,
    string OutputName,
    LayerQuantization? Quantization = null,
    bool ChannelsLast = false)
{
    public string Name => Workload.Name;
}

/// <summary>
/// An int8 layer as in ONNX QDQ: y = saturate(round(acc · inputScale · weightScale[m] / outputScale) + outputZeroPoint),
/// acc = Σ (x − inputZeroPoint)·w + bias[m] in int32, rounding to even. Weights are symmetric;
/// their scales are the packed tensor's.
/// </summary>
public sealed record LayerQuantization(
    float InputScale, byte InputZeroPoint,
    float OutputScale, byte OutputZeroPoint,
    int[]? Bias)
{
    /// <summary>round_half_to_even(value / scale) + zeroPoint, saturated, as ONNX's QuantizeLinear; infinities saturate too.</summary>
    public static byte Quantize(float value, float scale, byte zeroPoint)
    {
        float steps = Math.Clamp(value / scale, -512f, 512f);
        return (byte)Math.Clamp((int)MathF.Round(steps, MidpointRounding.ToEven) + zeroPoint, 0, 255);
    }
}
