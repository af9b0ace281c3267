using System.Numerics;
using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

public sealed class ExpressivenessTests
{
    /// <summary>All 2^n masks of a small matrix: those that the definition admits are as many as the formula says.</summary>
    [Theory]
    [InlineData("1:2", new[] { 2, 6 }, 1)]
    [InlineData("2:4", new[] { 2, 6 }, 1)]
    [InlineData("2:4@strided", new[] { 2, 7 }, 1)]
    [InlineData("1:3/out", new[] { 5, 3 }, 1)]
    [InlineData("1:2/out@strided", new[] { 5, 3 }, 1)]
    [InlineData("1:2x2", new[] { 3, 5 }, 1)]
    [InlineData("1:2x2/out", new[] { 5, 3 }, 1)]
    [InlineData("2:3x2/out", new[] { 8, 2 }, 2)]
    [InlineData("2:3", new[] { 2, 4, 2 }, 1)]
    [InlineData("1:3", new[] { 2, 2, 2, 2 }, 2)]
    [InlineData("3:3", new[] { 3, 4 }, 1)]
    [InlineData("unstructured:0.3", new[] { 3, 5 }, 1)]
    [InlineData("block2x2:0.5", new[] { 3, 5 }, 1)]
    [InlineData("block2x3:0.4", new[] { 4, 2, 2 }, 2)]
    [InlineData("channel:0.5", new[] { 4, 4 }, 1)]
    public void Counts_AreWhatEnumerationFinds(string text, int[] dimensions, int groups)
    {
        SparsityPattern pattern = SparsityPattern.Parse(text);
        var shape = new WeightShape(dimensions, groups);
        (long count, long nonZeros) = Enumerate(pattern, shape);
        Assert.Equal(count, Expressiveness.CountMasks(pattern, shape));
        Assert.Equal(Math.Log2(count), Expressiveness.Log2MaskCount(pattern, shape), 10);
        Assert.Equal((double)nonZeros / count, Expressiveness.NonZeroCount(pattern, shape), 10);
    }

    [Fact]
    public void Table_of_the_design()
    {
        Assert.Equal(0.250, Expressiveness.BitsPerWeight(ComplementaryPattern.Parse("1:16")), 3);
        Assert.Equal(0.280, Expressiveness.BitsPerWeight(ComplementaryPattern.Parse("2:32")), 3);
        Assert.Equal(0.301, Expressiveness.BitsPerWeight(ComplementaryPattern.Parse("4:64")), 3);
        Assert.Equal(0.337, Expressiveness.UnstructuredBitsPerWeight(1 / 16.0), 3);
        Assert.Equal(0.125, Expressiveness.BitsPerWeight(ComplementaryPattern.Parse("1:16x2")), 12);
        // Hubara et al., 2021: 2:4 on eight weights has 36 masks, 4:8 has 70
        Assert.Equal(36, Expressiveness.CountMasks(NmPattern.Of(2, 4), WeightShape.Matrix(1, 8)));
        Assert.Equal(70, Expressiveness.CountMasks(NmPattern.Of(4, 8), WeightShape.Matrix(1, 8)));
    }

    [Fact]
    public void LargeShapes_ApproachTheBound()
    {
        WeightShape shape = WeightShape.Matrix(4096, 4096);
        var unstructured = new UnstructuredPattern(1 / 16.0);
        double bits = Expressiveness.BitsPerWeight(unstructured, shape);
        Assert.InRange(Expressiveness.UnstructuredBitsPerWeight(1 / 16.0) - bits, 0, 1e-6);
        Assert.Equal(1, Expressiveness.ShareOfUnstructured(unstructured, shape), 12);
        Assert.InRange(Expressiveness.ShareOfUnstructured(ComplementaryPattern.Parse("4:64"), shape), 0.89, 0.90);
        Assert.Equal(4.0 * 4096 * 256, Expressiveness.Log2MaskCount(ComplementaryPattern.Parse("1:16"), shape), 6);
        Assert.StartsWith("Pattern unstructured:0.5 on 16384×16384 has about 2^", Assert.Throws<PatternException>(
            () => Expressiveness.CountMasks(new UnstructuredPattern(0.5), WeightShape.Matrix(1 << 14, 1 << 14))).Message);
    }

    [Fact]
    public void Logarithms_AreThoseOfTheExactIntegers() =>
        Gen.Int[1, 6000].SelectMany(n => Gen.Int[0, n].Select(k => (n, k))).Sample((n, k) =>
    {
        double exact = BigInteger.Log(Binomials.Choose(n, k), 2);
        Assert.InRange(Binomials.Log2Choose(n, k) - exact, -1e-12 - 1e-13 * exact, 1e-12 + 1e-13 * exact);
        Assert.Equal(Binomials.Log2Choose(n, k), Binomials.Log2Choose(n, n - k));
    }, iter: 400, seed: "0000000000001");

    /// <summary>C(n, k) = C(n − 1, k − 1)·n/k holds where no integer can be written out.</summary>
    [Theory]
    [InlineData(2_000_000_000, 1_000_000_000)]
    [InlineData(16_777_216, 1_048_576)]
    [InlineData(16_777_216, 33)]
    [InlineData(16_777_216, 32)]
    [InlineData(1025, 33)]
    public void Logarithms_FollowTheRecurrence(int n, int k)
    {
        double left = Binomials.Log2Choose(n, k), right = Binomials.Log2Choose(n - 1, k - 1) + Math.Log2((double)n / k);
        Assert.InRange(left - right, -1e-12 - 1e-14 * left, 1e-12 + 1e-14 * left);
    }

    [Fact]
    public void CapturedEnergy_IsTheShareOfSquares()
    {
        Assert.Equal(25 / 30.0, CapturedEnergy.Of([1, -4, 2, -3], [false, true, false, true]), 12);
        Assert.Equal(25 / 30.0, CapturedEnergy.Of([1, -4, 2, -3], NmPattern.Of(1, 2), WeightShape.Matrix(1, 4)), 12);
        Assert.Equal(1, CapturedEnergy.Of(new float[4], new bool[4]));
    }

    /// <summary>
    /// One of two normal numbers: E max(x², y²) / 2 = ½ + 1/π (the angle is uniform: mean of max(cos², sin²)).
    /// A wider window captures more, unstructured most.
    /// </summary>
    [Fact]
    public void Gaussian_IsKnown_AndOrdered()
    {
        Assert.InRange(CapturedEnergy.OnGaussian(NmPattern.Of(1, 2), 1) - (0.5 + 1 / Math.PI), -0.002, 0.002);
        double[] energies = [.. ((string[])["1:16x2", "1:16", "2:32", "4:64", "unstructured:1/16"])
            .Select(text => CapturedEnergy.OnGaussian(SparsityPattern.Parse(text), 1))];
        Assert.Equal(energies.Order(), energies);
        Assert.Equal(CapturedEnergy.OnGaussian(NmPattern.Of(4, 64), 1), CapturedEnergy.OnGaussian(NmPattern.Of(4, 64), 1));
    }

    private static (long Count, long NonZeros) Enumerate(SparsityPattern pattern, WeightShape shape)
    {
        (long count, long nonZeros) = (0, 0);
        List<NaiveCell>? cells = pattern is ComplementaryPattern complementary ? NaiveLayout.Cells(complementary, shape) : null;
        int[]? regionOf = pattern is RegionPattern regions ? ProjectionTests.NaiveRegions(regions, shape) : null;
        for (uint mask = 0; mask < 1u << shape.Count; mask++)
        {
            if (cells is not null ? cells.TrueForAll(cell => Admits(cell, mask)) : AdmitsRegions(mask))
                (count, nonZeros) = (count + 1, nonZeros + BitOperations.PopCount(mask));
        }

        return (count, nonZeros);

        bool Admits(NaiveCell cell, uint mask)
        {
            int kept = 0;
            foreach ((int[] rows, int column) in cell.Candidates)
            {
                int ones = rows.Count(row => (mask >> (row * shape.Inputs + column) & 1) == 1);
                if (ones != 0 && ones != rows.Length)
                    return false;
                kept += ones == 0 ? 0 : 1;
            }

            return kept == Math.Min(((ComplementaryPattern)pattern).Keep, cell.Candidates.Length);
        }

        bool AdmitsRegions(uint mask)
        {
            var byRegion = regionOf!.Select((region, at) => (region, on: (mask >> at & 1) == 1)).GroupBy(pair => pair.region).ToList();
            return byRegion.TrueForAll(region => region.All(pair => pair.on) || !region.Any(pair => pair.on))
                && byRegion.Count(region => region.First().on) == ((RegionPattern)pattern).KeptCount(shape);
        }
    }
}
