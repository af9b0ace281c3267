namespace Dovetail.Onnx.Passes.Quantize;

/// <summary>How weights become int8.</summary>
public sealed record QuantizationOptions
{
    /// <summary>A scale for each output; false: one for each layer.</summary>
    public bool PerChannel { get; init; } = true;

    /// <summary>
    /// Weights of 7 bits, −63 to 63: for CPUs without VNNI, where ONNX Runtime adds two products of uint8 and int8 in 16 bits, which
    /// saturate with weights of 8 bits.
    /// </summary>
    public bool ReduceRange { get; init; }

    /// <summary>The greatest magnitude of a quantized weight.</summary>
    internal int LargestWeight => ReduceRange ? 63 : 127;
}
