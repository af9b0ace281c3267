using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.Broadcast;

/// <summary>Where the sums of some outputs over some pixels end.</summary>
/// <param name="call">The operands of the run.</param>
/// <param name="constants">Of the layer.</param>
/// <param name="firstPixel">Of all the run's.</param>
/// <param name="pixels">Pixels to write.</param>
/// <param name="firstOutput">Of all the layer's.</param>
/// <param name="outputs">Outputs to write.</param>
internal readonly unsafe struct SumEnd<T>(
    in LayerCall call, LayerConstants constants, int firstPixel, int pixels, int firstOutput, int outputs)
    where T : unmanaged
{
    public readonly LayerConstants Constants = constants;
    public readonly T* Output = (T*)call.Output + (nint)firstPixel * constants.Outputs + firstOutput;

    /// <summary>Or null.</summary>
    public readonly T* Residual = call.Residual == null ? null : (T*)call.Residual + (nint)firstPixel * constants.Outputs + firstOutput;

    public readonly int Pixels = pixels;
    public readonly int FirstOutput = firstOutput;
    public readonly int Outputs = outputs;

    /// <summary>Numbers from one pixel to the next.</summary>
    public readonly nint Stride = constants.Outputs;
}
