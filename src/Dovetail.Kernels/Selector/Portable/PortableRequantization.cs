namespace Dovetail.Kernels.Selector.Portable;

/// <summary>The end of an int8 sum without vectors.</summary>
internal static class PortableRequantization
{
    /// <summary>
    /// y = clamp(round_half_to_even(acc · factor) + zeroPoint, lowest, highest). Clamping before rounding gives the same result, since
    /// the bounds are integers, and cannot overflow.
    /// </summary>
    public static byte Apply(int accumulator, float factor, byte zeroPoint, byte lowest, byte highest)
    {
        float scaled = Math.Clamp(accumulator * factor, (float)lowest - zeroPoint, (float)highest - zeroPoint);
        return (byte)((int)MathF.Round(scaled, MidpointRounding.ToEven) + zeroPoint);
    }
}
