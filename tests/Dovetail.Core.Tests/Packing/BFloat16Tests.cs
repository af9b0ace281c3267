using CsCheck;
using Dovetail.Core.Packing;

namespace Dovetail.Core.Tests.Packing;

public sealed class BFloat16Tests
{
    [Fact]
    public void EveryBFloat16_ComesBackFromFloat()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var value = BFloat16.FromBits((ushort)bits);
            BFloat16 back = BFloat16.FromSingle(value.ToSingle());
            Assert.Equal(float.IsNaN(value.ToSingle()) ? bits | 0x40 : bits, back.Bits);
            Assert.Equal(value.ToSingle() == 0, value.IsZero);
        }
    }

    /// <summary>The nearest of the two neighbours, by exact distance in double; ties to the even one.</summary>
    [Fact]
    public void Rounding_IsToNearestEven() => Gen.Float.Where(float.IsFinite).Sample(value =>
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        BFloat16 down = BFloat16.FromBits((ushort)(bits >> 16)), up = BFloat16.FromBits((ushort)((bits >> 16) + 1));
        double toDown = Math.Abs((double)value - down.ToSingle());
        double above = float.IsInfinity(up.ToSingle()) ? Math.CopySign(Math.ScaleB(1, 128), value) : up.ToSingle();
        double toUp = Math.Abs(value - above);
        BFloat16 expected = toDown < toUp || (toDown == toUp && (down.Bits & 1) == 0) ? down : up;
        Assert.Equal(expected, BFloat16.FromSingle(value));
    }, iter: 20000, seed: "0000000000001");

    [Theory]
    [InlineData(1.00390625f, 0x3F80)] // 1 + 2^-8: a tie, to even
    [InlineData(1.01171875f, 0x3F82)] // 1 + 3·2^-8: a tie, to even
    [InlineData(float.MaxValue, 0x7F80)]
    [InlineData(float.NegativeInfinity, 0xFF80)]
    public void Known_values(float value, int bits) => Assert.Equal(bits, BFloat16.FromSingle(value).Bits);

    [Fact]
    public void NaN_StaysNaN() => Assert.True(float.IsNaN(BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(0x7F800001)).ToSingle()));
}
