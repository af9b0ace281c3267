using Dovetail.Core.Packing;

namespace Dovetail.Accelerator.Simulation;

/// <summary>
/// From accumulators to the uint8 outputs of a layer (docs/operators.md):
/// y = saturate(round_half_to_even((acc + bias[m]) · (inputScale·weightScale[m] / outputScale)) + outputZeroPoint),
/// the factor in fp32; with relu at least outputZeroPoint.
/// </summary>
internal static class Requantization
{
    /// <param name="accumulators">[pixels, outputs], without the bias.</param>
    /// <returns>[pixels, outputs].</returns>
    /// <exception cref="AcceleratorException">The layer has no quantization or no weight scales, or the buffer does not fit it.</exception>
    public static byte[] Apply(PackedLayer layer, ReadOnlySpan<int> accumulators, bool relu = false)
    {
        ArgumentNullException.ThrowIfNull(layer);
        int outputs = layer.Workload.M;
        if (layer.Quantization is not { } quantization || layer.Weights.Scales is not { } scales)
            throw new AcceleratorException($"Layer '{layer.Name}' has no quantization or no weight scales; expected both. Quantize the "
                + "model first.");
        if (accumulators.Length != (long)outputs * layer.Workload.N)
            throw new AcceleratorException($"Layer '{layer.Name}' got {accumulators.Length} accumulators, expected "
                + $"{(long)outputs * layer.Workload.N}: {layer.Workload.N} pixels of {outputs} outputs.");
        var factors = new float[outputs];
        for (int m = 0; m < outputs; m++)
            factors[m] = quantization.InputScale * scales[m] / quantization.OutputScale;
        var result = new byte[accumulators.Length];
        int least = relu ? quantization.OutputZeroPoint : 0;
        for (int at = 0, m = 0; at < result.Length; at++, m = m + 1 == outputs ? 0 : m + 1)
        {
            int sum = accumulators[at] + (quantization.Bias?[m] ?? 0);
            float rounded = MathF.Round(sum * factors[m], MidpointRounding.ToEven);
            result[at] = (byte)Math.Clamp(rounded + quantization.OutputZeroPoint, least, 255);
        }

        return result;
    }
}
