using CsCheck;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Tests.Patterns;

namespace Dovetail.Core.Tests.Packing;

public sealed class PackerTests
{
    [Fact]
    public void Floats_ComeBack() =>
        Check(1, value => value, static (a, b) => BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b));

    [Fact]
    public void Halves_ComeBack() =>
        Check(2, value => (Half)value, static (a, b) => BitConverter.HalfToInt16Bits(a) == BitConverter.HalfToInt16Bits(b));

    [Fact]
    public void BFloat16s_ComeBack() => Check(3, value => (BFloat16)value, static (a, b) => a.Bits == b.Bits);

    [Fact]
    public void Int8s_ComeBack() => Check(4, value => (sbyte)Math.Clamp(value * 50, -128, 127), static (a, b) => a == b);

    /// <summary>Random weights under a random mask of the pattern: packed form by the oracle, and back.</summary>
    private static void Check<T>(int seed, Func<float, T> convert, Func<T, T, bool> same)
        where T : unmanaged =>
        Gen.Select(Gens.Layout, Gen.Int[0, int.MaxValue], Gen.Bool).Sample((layout, weightSeed, giveMask) =>
        {
            int columns = layout.Shape.Inputs;
            var random = new Random(weightSeed);
            float[] source = SyntheticWeights.Gaussian(layout.Shape.Count, weightSeed);
            var weights = new T[layout.Shape.Count];
            var mask = new bool[layout.Shape.Count];
            var values = new T[layout.ValueCount];
            var owners = new byte[layout.OwnerCount];
            foreach (NaiveCell cell in NaiveLayout.Cells(layout.Pattern, layout.Shape))
            {
                int used = Math.Min(layout.Pattern.Keep, cell.Candidates.Length);
                int[] kept = [.. Enumerable.Range(0, cell.Candidates.Length).OrderBy(_ => random.Next()).Take(used).Order()];
                for (int slot = 0; slot < used; slot++)
                {
                    (int[] rows, int column) = cell.Candidates[kept[slot]];
                    owners[cell.Owners[slot].Row * layout.OwnerColumns + cell.Owners[slot].Column] = (byte)kept[slot];
                    for (int lane = 0; lane < rows.Length; lane++)
                    {
                        int at = rows[lane] * columns + column;
                        // with a mask, some kept weights are zero
                        T value = convert(giveMask && random.Next(4) == 0 ? 0 : source[at] + MathF.CopySign(0.1f, source[at]));
                        (weights[at], mask[at]) = (value, true);
                        values[(cell.Values[slot].Row + lane) * layout.ValueColumns + cell.Values[slot].Column] = value;
                    }
                }
            }

            PackedTensor<T> packed = Packer.Pack<T>(weights, layout, giveMask ? mask : default);
            Assert.Equal(owners, packed.Owners);
            Assert.True(values.Zip(packed.Values).All(pair => same(pair.First, pair.Second)));
            Assert.Equal(mask, Packer.UnpackMask(packed));
            Assert.True(weights.Zip(Packer.Unpack(packed)).All(pair => same(pair.First, pair.Second)));
            Assert.Equal(owners, OwnerCodec.Decode(packed.EncodeOwners(), layout.OwnerRows, layout.OwnerColumns, layout.Pattern.IndexBits));
        }, iter: 250, seed: "000000000000" + seed);

    [Fact]
    public void CellsWithFewerNonZeros_FillUpWithTheLowestCandidates()
    {
        var layout = new CellLayout(new ComplementaryPattern(3, 8), WeightShape.Matrix(2, 8));
        PackedTensor<float> packed = Packer.Pack<float>([0, 0, 0, 0, 0, 7, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0], layout);
        Assert.Equal([0, 1, 5, 0, 1, 2], packed.Owners);
        Assert.Equal([0, 0, 7, 1, 0, 2], packed.Values);
    }

    [Fact]
    public void FillingUp_CrossesWords()
    {
        var layout = new CellLayout(new ComplementaryPattern(130, 256), WeightShape.Matrix(1, 256));
        var weights = new float[256];
        weights[200] = 1;
        Assert.Equal([.. Enumerable.Range(0, 129).Select(i => (byte)i), 200], Packer.Pack<float>(weights, layout).Owners);
    }

    [Fact]
    public void NegativeZero_IsZero_AndNaN_IsNot()
    {
        var layout = new CellLayout(new ComplementaryPattern(1, 4), WeightShape.Matrix(1, 4));
        PackedTensor<float> packed = Packer.Pack<float>([-0f, -0f, float.NaN, -0f], layout);
        Assert.Equal([2], packed.Owners);
        Assert.Equal(float.NaN, packed.Values[0]);
        PackedTensor<Half> half = Packer.Pack<Half>([(Half)(-0f), (Half)(-0f), (Half)(-0f), (Half)2], layout);
        Assert.Equal([3], half.Owners);
        Assert.Equal([0], Packer.Pack<float>([-0f, 0, 0, 0], layout).Owners);
        Assert.True(float.IsNegative(Packer.Unpack(Packer.Pack<float>([-0f, 0, 0, 0], layout))[0]));
    }

    [Fact]
    public void TooManyNonZeros_AreRefused()
    {
        var layout = new CellLayout(new ComplementaryPattern(1, 4), WeightShape.Matrix(2, 6));
        var error = Assert.Throws<PackingException>(() => Packer.Pack<float>([1, 0, 0, 0, 1, 0, 0, 0, 0, 3, 1, 2], layout));
        Assert.Equal("Cell 3 of the weights 2×6 (from row 1, column 4) has 2 non-zeros, and pattern 1:4 allows 1. Project the weights onto "
            + "the pattern first.", error.Message);
    }

    [Fact]
    public void WrongLengths_AndTypes_AreRefused()
    {
        var layout = new CellLayout(new ComplementaryPattern(1, 4), WeightShape.Matrix(2, 4));
        Assert.Equal("7 weights and 0 mask entries were given for shape 2×4, expected 8.",
            Assert.Throws<PackingException>(() => Packer.Pack<float>(new float[7], layout)).Message);
        Assert.Equal("8 weights and 3 mask entries were given for shape 2×4, expected 8.",
            Assert.Throws<PackingException>(() => Packer.Pack<float>(new float[8], layout, new bool[3])).Message);
        Assert.Equal("Weights of type Double cannot be packed, expected float, Half, BFloat16 or sbyte.",
            Assert.Throws<PackingException>(() => Packer.Pack<double>(new double[8], layout)).Message);
        Assert.Equal("The buffer holds 7 weights, expected 8 for shape 2×4.",
            Assert.Throws<PackingException>(() => Packer.Unpack(Packer.Pack<float>(new float[8], layout), new float[7])).Message);
    }
}
