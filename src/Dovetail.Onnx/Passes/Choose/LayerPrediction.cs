using System.Globalization;

namespace Dovetail.Onnx.Passes.Choose;

/// <summary>What was predicted of a layer, and what follows.</summary>
/// <param name="TransposeMicroseconds">What Transposes at its borders take more if it is packed, the other layers as they were chosen; less
/// than 0 where packing it saves some.</param>
/// <param name="IsPacked">The choice.</param>
public sealed record LayerPrediction(double DenseMicroseconds, double PackedMicroseconds, double TransposeMicroseconds, bool IsPacked)
{
    /// <summary>E.g. "dense 12.0 µs, packed 15.0 µs predicted".</summary>
    public string Words(double leastGain)
    {
        double packed = PackedMicroseconds + TransposeMicroseconds;
        string borders = Math.Abs(TransposeMicroseconds) < 0.05 ? "" : TransposeMicroseconds > 0
            ? string.Create(CultureInfo.InvariantCulture, $", and {TransposeMicroseconds:0.0} µs of Transposes around it")
            : string.Create(CultureInfo.InvariantCulture, $", and {-TransposeMicroseconds:0.0} µs of Transposes less");
        string gain = !IsPacked && packed < DenseMicroseconds
            ? string.Create(CultureInfo.InvariantCulture, $": {1 - packed / DenseMicroseconds:0.0%} gained, {leastGain:0.#%} asked for")
            : "";
        return string.Create(CultureInfo.InvariantCulture, $"dense {DenseMicroseconds:0.0} µs, packed {PackedMicroseconds:0.0} µs "
            + $"predicted{borders}{gain}");
    }
}
