using System.Numerics;
using CsCheck;
using Dovetail.Core.Packing;

namespace Dovetail.Core.Tests.Packing;

public sealed class OwnerCodecTests
{
    private const int Guard = 64;

    /// <summary>Every width against one big integer a row: owner c is its bits c·width … of it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void EveryWidth_IsABigLittleEndianNumber(int bits) =>
        Gen.Select(Gen.Int[1, 4], Gen.OneOf(Gen.Int[1, 70], Gen.Int[71, 700], Gen.Int[1, 80].Select(n => n * 8)), Gen.Int[0, int.MaxValue])
            .Sample((rows, columns, seed) =>
        {
            var random = new Random(seed);
            byte[] owners = [.. Enumerable.Range(0, rows * columns).Select(_ => (byte)random.Next(1 << bits))];
            int rowBytes = OwnerCodec.RowBytes(columns, bits);
            byte[] encoded = OwnerCodec.Encode(owners, rows, columns, bits);
            Assert.Equal(rows * rowBytes, encoded.Length);
            for (int row = 0; row < rows; row++)
            {
                var number = new BigInteger(encoded.AsSpan(row * rowBytes, rowBytes), isUnsigned: true);
                for (int column = 0; column < columns; column++)
                    Assert.Equal(owners[row * columns + column], (int)(number >> (column * bits) & ((1 << bits) - 1)));
                Assert.Equal(BigInteger.Zero, number >> (columns * bits));
            }

            Assert.Equal(owners, OwnerCodec.Decode(encoded, rows, columns, bits));
            foreach (VectorUse use in Enum.GetValues<VectorUse>()) // whole rows, by vectors, by bit deposits and by shifts
            {
                byte[] buffer = [.. Enumerable.Repeat((byte)0xA5, owners.Length + 2 * Guard)];
                OwnerCodec.Decode(encoded, buffer.AsSpan(Guard, owners.Length), rows, columns, bits, use);
                Assert.Equal(owners, buffer[Guard..^Guard]);
                Assert.All(buffer[..Guard].Concat(buffer[^Guard..]), guard => Assert.Equal(0xA5, guard));
            }
        }, iter: 200, seed: "0000000000001");

    [Fact]
    public void WhatIsWrong_IsSaid()
    {
        Assert.Equal(
            "The owners take 3 bytes, expected 4: 2 rows of 5 owners, 3 bits each, padded to a byte.",
            Message(() => OwnerCodec.Decode(new byte[3], 2, 5, 3)));
        Assert.Equal(
            "The padding bits behind the owners of row 1 are not zero; the file is damaged.",
            Message(() => OwnerCodec.Decode([0, 0, 0, 0x80], 2, 5, 3)));
        Assert.Equal(
            "Owner 2 of row 1 is 8, expected less than 8: it has 3 bits.", Message(() => OwnerCodec.Encode([0, 1, 2, 3, 4, 8], 2, 3, 3)));
        Assert.Equal("5 owners were given, expected 6: 2 rows of 3.", Message(() => OwnerCodec.Encode(new byte[5], 2, 3, 3)));
        Assert.Equal(
            "The buffer holds 5 owners, expected 6: 2 rows of 3.", Message(() => OwnerCodec.Decode(new byte[4], new byte[5], 2, 3, 3)));
        Assert.Equal(
            "A row of 3 owners of 9 bits was asked for; expected owners of 0 to 8 bits.", Message(() => OwnerCodec.RowBytes(3, 9)));
        Assert.Equal(
            "2000000000 rows of 2 owners are more than one tensor may hold here, 2147483591.",
            Message(() => OwnerCodec.Decode([], 2_000_000_000, 2, 0)));
        Assert.Equal(int.MaxValue, OwnerCodec.RowBytes(int.MaxValue, 8));

        static string Message(Action action) => Assert.Throws<PackingException>(action).Message;
    }
}
