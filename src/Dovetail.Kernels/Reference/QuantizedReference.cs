using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;

namespace Dovetail.Kernels.Reference;

/// <summary>The integer oracle: any pattern, obvious loops over the packed slots; results are exact.</summary>
public static class QuantizedReference
{
    /// <summary>acc[pixel, m] = Σ (x − inputZeroPoint)·w + bias[m] in int32, [pixels of all images, outputs].</summary>
    /// <param name="weights">Packed int8 weights of any pattern.</param>
    /// <param name="input">[batch, height, width, channels·groups].</param>
    /// <param name="batch">Images.</param>
    /// <param name="geometry">Of one image; a matrix product is <see cref="PreparedLayer.RowsOf"/>.</param>
    /// <param name="inputZeroPoint">Also the value of padding pixels, which therefore add nothing.</param>
    /// <param name="bias">[outputs], or empty.</param>
    /// <exception cref="KernelException">A buffer does not fit.</exception>
    public static int[] Accumulate(
        PackedTensor<sbyte> weights, ReadOnlySpan<byte> input, int batch, ConvolutionGeometry geometry,
        byte inputZeroPoint, ReadOnlySpan<int> bias = default)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(geometry);
        using var layer = new QuantizedReferenceLayer("accumulate", new QuantizedSpecification(
            weights, bias.IsEmpty ? null : bias.ToArray(), inputZeroPoint, new float[weights.Shape.Outputs], 0));
        layer.CheckGeometry(batch, geometry);
        int expected = batch * geometry.InputHeight * geometry.InputWidth * weights.Shape.Channels * weights.Shape.Groups;
        if (input.Length != expected)
            throw new KernelException($"The input has {input.Length} elements, expected {expected}.");
        if (!bias.IsEmpty && bias.Length != weights.Shape.Outputs)
            throw new KernelException($"The bias has {bias.Length} entries, expected {weights.Shape.Outputs}, one an output.");
        var accumulators = new int[batch * geometry.OutputPixels * weights.Shape.Outputs];
        for (int pixel = 0; pixel < batch * geometry.OutputPixels; pixel++)
            layer.AccumulatePixel(input, geometry, pixel, accumulators.AsSpan(pixel * weights.Shape.Outputs, weights.Shape.Outputs));
        return accumulators;
    }

    /// <summary>y = clamp(round_half_to_even(acc · factor) + zeroPoint, lowest, highest); the product is fp32, all else exact.</summary>
    public static byte Requantize(int accumulator, float factor, byte zeroPoint, byte lowest = 0, byte highest = 255)
    {
        float product = accumulator * factor;
        double result = Math.Round((double)product, MidpointRounding.ToEven) + zeroPoint;
        return (byte)(result < lowest ? lowest : result > highest ? highest : result);
    }

    /// <summary>Requantizes accumulators [pixels, outputs] with one factor an output.</summary>
    public static byte[] Requantize(
        ReadOnlySpan<int> accumulators, ReadOnlySpan<float> factors, byte zeroPoint, byte lowest = 0, byte highest = 255)
    {
        if (factors.IsEmpty || accumulators.Length % factors.Length != 0)
            throw new KernelException($"{accumulators.Length} accumulators do not divide into rows of {factors.Length} outputs.");
        var result = new byte[accumulators.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = Requantize(accumulators[i], factors[i % factors.Length], zeroPoint, lowest, highest);
        return result;
    }
}
