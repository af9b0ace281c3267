using System.Globalization;

namespace Dovetail.Core.Packing;

/// <summary>
/// A 16-bit floating-point number with the exponent of float and 8 bits of significand: the upper half of a
/// float. .NET 10 has none. Conversion from float rounds to nearest, ties to even; NaN stays NaN (quiet,
/// with its sign), what is too large becomes infinite.
/// </summary>
public readonly record struct BFloat16
{
    private BFloat16(ushort bits) => Bits = bits;

    /// <summary>Sign (1 bit), exponent (8), fraction (7). Equality compares these bits.</summary>
    public ushort Bits { get; }

    /// <summary>True for +0 and −0.</summary>
    internal bool IsZero => (Bits & 0x7FFF) == 0;

    public static BFloat16 FromBits(ushort bits) => new(bits);

    public static explicit operator BFloat16(float value) => FromSingle(value);

    public static implicit operator float(BFloat16 value) => value.ToSingle();

    public static BFloat16 FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return new BFloat16((ushort)(bits >> 16 | 0x40)); // the quiet bit keeps it from turning into an infinity
        uint even = bits >> 16 & 1;
        return new BFloat16((ushort)(bits + 0x7FFF + even >> 16));
    }

    /// <summary>Exact.</summary>
    public float ToSingle() => BitConverter.UInt32BitsToSingle((uint)Bits << 16);

    public override string ToString() => ToSingle().ToString(CultureInfo.InvariantCulture);
}
