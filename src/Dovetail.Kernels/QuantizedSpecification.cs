using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Kernels;

/// <summary>
/// An int8 layer (docs/operators.md): acc = Σ (x − inputZeroPoint)·w + bias in int32, then
/// y = saturate_uint8(round_half_to_even(acc · factor[m]) + outputZeroPoint).
/// </summary>
/// <param name="Weights">W, packed, symmetric int8; its own scales are not read.</param>
/// <param name="Bias">[outputs], or null.</param>
/// <param name="InputZeroPoint">Also the value of padding pixels.</param>
/// <param name="Factors">[outputs]: inputScale · weightScale[m] / outputScale, in fp32.</param>
/// <param name="OutputZeroPoint">Added after rounding.</param>
/// <param name="Lowest">The least result: with ReLU the output zero point.</param>
/// <param name="Highest">The greatest result.</param>
public sealed record QuantizedSpecification(
    PackedTensor<sbyte> Weights, int[]? Bias, byte InputZeroPoint,
    float[] Factors, byte OutputZeroPoint, byte Lowest = 0, byte Highest = 255) : ILayerSpecification
{
    CellLayout ILayerSpecification.Layout => Weights.Layout;

    /// <summary>The factors as the operators define them: fp32, inputScale · weightScale[m] / outputScale.</summary>
    public static float[] ComputeFactors(float inputScale, ReadOnlySpan<float> weightScales, float outputScale)
    {
        var factors = new float[weightScales.Length];
        for (int m = 0; m < factors.Length; m++)
            factors[m] = inputScale * weightScales[m] / outputScale;
        return factors;
    }

    /// <summary>
    /// The least and greatest result of a layer that clips: its bounds as QuantizeLinear would quantize them. Rounding and
    /// saturation keep order, so clipping after them equals clipping before.
    /// </summary>
    /// <exception cref="KernelException">The activation is more than a clamp.</exception>
    public static (byte Lowest, byte Highest) Bounds(Activation activation, float outputScale, byte outputZeroPoint) =>
        activation.Function == ActivationKind.None
            ? (LayerQuantization.Quantize(activation.Lowest, outputScale, outputZeroPoint), LayerQuantization.Quantize(
                activation.Highest, outputScale, outputZeroPoint))
            : throw new KernelException($"A quantized layer was asked for the activation {activation}, expected none, relu or clip.");

    void ILayerSpecification.Validate()
    {
        int outputs = Weights.Shape.Outputs;
        if (Bias is not null && Bias.Length != outputs)
            throw new KernelException($"The bias has {Bias.Length} entries, expected {outputs}, one an output.");
        if (Factors.Length != outputs)
            throw new KernelException($"{Factors.Length} requantization factors were given, expected {outputs}, one an output.");
        if (Lowest > Highest)
            throw new KernelException($"The results' bounds are {Lowest} and {Highest}, expected them in order.");
        foreach (float factor in Factors)
            if (!float.IsFinite(factor) || factor < 0)
                throw new KernelException($"A requantization factor is {factor}, expected a finite number that is not negative; check the "
                    + "scales.");
    }
}
