using CsCheck;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Tests.Patterns;

namespace Dovetail.Core.Tests.Packing;

/// <summary>Every path of unpacking writes what the cells say and nothing else.</summary>
public sealed class UnpackingTests
{
    // small groups fill vectors; many channels, with tails, reach past them
    private static readonly Gen<CellLayout> Vectors =
        from @group in Gen.Frequency((4, Gen.OneOfConst(1, 2, 4, 8, 16, 32, 64)), (1, Gen.Int[1, 17]))
        from keep in Gen.Int[1, Math.Min(@group, 9)]
        from axis in Gen.Enum<CellAxis>()
        from arrangement in Gen.Frequency((3, Gen.Const(Arrangement.Contiguous)), (1, Gen.Const(Arrangement.Strided)))
        from share in Gen.Frequency((2, Gen.Const(1)), (1, Gen.Int[2, 3]))
        from groups in Gen.Int[1, 2]
        from outputs in Gen.OneOf(Gen.Int[1, 5], Gen.Int[6, 70])
        from channels in Gen.OneOf(Gen.Int[1, 70], Gen.Int[120, 300])
        from taps in Gen.Int[1, 2]
        select new CellLayout(
            new ComplementaryPattern(keep, @group, axis, arrangement, share), new WeightShape([outputs * groups, channels, taps], groups));

    [Fact]
    public void Bytes_OnEveryPath() => Check(1, i => (sbyte)i);

    [Fact]
    public void Halves_OnEveryPath() => Check(2, i => BitConverter.Int16BitsToHalf((short)i));

    [Fact]
    public void Floats_OnEveryPath() => Check(3, BitConverter.Int32BitsToSingle);

    private static void Check<T>(int seed, Func<int, T> fromBits)
        where T : unmanaged =>
        Gen.Select(Gen.OneOf(Vectors, Gens.Layout), Gen.Int[0, int.MaxValue]).Sample((layout, valueSeed) =>
        {
            var random = new Random(valueSeed);
            int columns = layout.Shape.Inputs;
            var owners = new byte[layout.OwnerCount];
            var values = new T[layout.ValueCount];
            var expected = new T[layout.Shape.Count];
            foreach (NaiveCell cell in NaiveLayout.Cells(layout.Pattern, layout.Shape))
            {
                int used = Math.Min(layout.Pattern.Keep, cell.Candidates.Length);
                int[] kept = [.. Enumerable.Range(0, cell.Candidates.Length).OrderBy(_ => random.Next()).Take(used).Order()];
                for (int slot = 0; slot < used; slot++)
                {
                    (int[] rows, int column) = cell.Candidates[kept[slot]];
                    owners[cell.Owners[slot].Row * layout.OwnerColumns + cell.Owners[slot].Column] = (byte)kept[slot];
                    for (int lane = 0; lane < rows.Length; lane++)
                        values[(cell.Values[slot].Row + lane) * layout.ValueColumns + cell.Values[slot].Column] =
                            expected[rows[lane] * columns + column] = fromBits(random.Next(int.MinValue, int.MaxValue));
                }
            }

            foreach (VectorUse use in Enum.GetValues<VectorUse>())
            {
                var buffer = new T[expected.Length + 2 * Guard];
                buffer.AsSpan().Fill(fromBits(0x7B7B7B7B));
                Unpacking.Scatter(layout, owners, values, buffer.AsSpan(Guard, expected.Length), use);
                Assert.Equal(Bits<T>(expected), Bits<T>(buffer.AsSpan(Guard, expected.Length)));
                byte[] guard = Bits<T>(Enumerable.Repeat(fromBits(0x7B7B7B7B), Guard).ToArray());
                Assert.Equal(guard, Bits<T>(buffer.AsSpan(0, Guard)));
                Assert.Equal(guard, Bits<T>(buffer.AsSpan(Guard + expected.Length)));
            }
        }, iter: 250, seed: "000000000000" + seed);

    private const int Guard = 64;

    private static byte[] Bits<T>(ReadOnlySpan<T> values)
        where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes(values).ToArray();
}
