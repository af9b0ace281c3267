using Dovetail.Kernels.Decode;

namespace Dovetail.Kernels.Selector;

/// <summary>
/// The constants that finish a layer's sums, padded so that full vectors can be read at any output.
/// A quantized kernel sums x·w, so that acc = sum + start with start = bias − inputZeroPoint·Σw; padding pixels were
/// read as the zero point. All of it modulo 2³².
/// </summary>
internal sealed unsafe class LayerConstants : IDisposable
{
    private const int Slack = 64;

    private readonly AlignedBuffer _starts;
    private readonly AlignedBuffer _factors;

    private LayerConstants(int outputs, float low, float high)
    {
        (Outputs, Low, High) = (outputs, low, high);
        _starts = new AlignedBuffer((nuint)(outputs + Slack) * sizeof(int));
        _factors = new AlignedBuffer((nuint)(outputs + Slack) * sizeof(float));
    }

    public int Outputs { get; }

    /// <summary>What is applied to the stored results of a floating-point layer.</summary>
    public ActivationKind Function { get; private init; }

    public byte OutputZeroPoint { get; private init; }

    /// <summary>Lower bound of the results, or −∞; of a quantized layer's scaled sums, before the zero point is added.</summary>
    public float Low { get; }

    /// <summary>Upper bound of the results, or ∞; of a quantized layer's scaled sums, before the zero point is added.</summary>
    public float High { get; }

    /// <summary>
    /// Quantized layers: the bounds are those of a byte, and no sum that inputs can give, scaled, reaches 2³⁰. Then rounding
    /// to int32 and saturating to a byte needs no clamp before.
    /// </summary>
    public bool SaturationSuffices { get; private set; }

    /// <summary>[outputs], 32-bit numbers: float or int.</summary>
    public byte* Starts => _starts.Pointer;

    /// <summary>[outputs]; quantized layers only.</summary>
    public float* Factors => (float*)_factors.Pointer;

    public static LayerConstants Of(Float32Specification layer)
    {
        var constants = new LayerConstants(layer.Weights.Shape.Outputs, layer.Activation.Lowest, layer.Activation.Highest)
        {
            Function = layer.Activation.Function,
        };
        layer.Bias?.CopyTo(new Span<float>(constants.Starts, constants.Outputs));
        return constants;
    }

    public static LayerConstants Of(QuantizedSpecification layer)
    {
        var constants = new LayerConstants(
            layer.Weights.Shape.Outputs, (float)layer.Lowest - layer.OutputZeroPoint, (float)layer.Highest - layer.OutputZeroPoint)
        {
            OutputZeroPoint = layer.OutputZeroPoint,
            SaturationSuffices = layer is { Lowest: 0, Highest: byte.MaxValue },
        };
        var starts = (int*)constants.Starts;
        var terms = new TermList<sbyte>(layer.Weights);
        for (int m = 0; m < constants.Outputs; m++)
        {
            int sum = 0;
            long magnitude = 0;
            for (int t = terms.RowStart[m]; t < terms.RowStart[m + 1]; t++)
            {
                sum += terms.Values[t];
                magnitude += Math.Abs((int)terms.Values[t]);
            }

            starts[m] = (layer.Bias is null ? 0 : layer.Bias[m]) - layer.InputZeroPoint * sum;
            double greatest = Math.Min(Math.Abs((long)starts[m]) + byte.MaxValue * magnitude, 1L << 31); // sums wrap at 2³¹
            constants.SaturationSuffices &= greatest * layer.Factors[m] < 1 << 30;
        }

        layer.Factors.CopyTo(new Span<float>(constants.Factors, constants.Outputs));
        return constants;
    }

    public void Dispose()
    {
        _starts.Dispose();
        _factors.Dispose();
    }
}
