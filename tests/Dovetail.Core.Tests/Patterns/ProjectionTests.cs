using System.Numerics;
using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

public sealed class ProjectionTests
{
    /// <summary>Few values, so that ties, zeros of both signs and infinities meet often.</summary>
    private static readonly Gen<float> Coarse = Gen.OneOfConst(
        0f, -0f, 1, -1, 2, 3, 0.5f, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, -float.MaxValue, float.Epsilon);

    private static readonly Gen<ComplementaryPattern> SmallPattern =
        from @group in Gen.Int[1, 7]
        from keep in Gen.Int[1, @group]
        from axis in Gen.Enum<CellAxis>()
        from arrangement in Gen.Enum<Arrangement>()
        from share in Gen.Int[1, 3]
        select new ComplementaryPattern(keep, @group, axis, arrangement, share);

    private static readonly Gen<WeightShape> SmallShape =
        from groups in Gen.Int[1, 2]
        from outputs in Gen.Int[1, 4]
        from channels in Gen.Int[1, 8]
        from taps in Gen.Int[1, 2]
        select new WeightShape([outputs * groups, channels, taps], groups);

    /// <summary>All subsets of a cell's candidates: none has a greater total, and of equal ones ours has the lowest candidates.</summary>
    [Fact]
    public void Complementary_IsOptimal_ByTryingAllSubsets() =>
        Gen.Select(SmallPattern, SmallShape)
            .SelectMany((pattern, shape) => Coarse.Array[shape.Count].Select(scores => (pattern, shape, scores)))
        .Sample(sample =>
        {
            (ComplementaryPattern pattern, WeightShape shape, float[] scores) = sample;
            bool[] mask = Projection.Project(scores, new CellLayout(pattern, shape));
            foreach (NaiveCell cell in NaiveLayout.Cells(pattern, shape))
            {
                int keep = Math.Min(pattern.Keep, cell.Candidates.Length);
                (int Infinities, BigInteger Finite) best = (int.MinValue, 0);
                uint bestSubset = 0;
                for (uint subset = 0; subset < 1u << cell.Candidates.Length; subset++)
                {
                    if (BitOperations.PopCount(subset) != keep)
                        continue;
                    var total = Total(scores, shape, cell, subset);
                    // of equal totals the lexicographically first list of candidates, that is, the lowest bits
                    if (total.CompareTo(best) > 0 || (total == best && IsBefore(subset, bestSubset)))
                        (best, bestSubset) = (total, subset);
                }

                for (int i = 0; i < cell.Candidates.Length; i++)
                    foreach (int row in cell.Candidates[i].Rows)
                        Assert.Equal((bestSubset >> i & 1) == 1, mask[row * shape.Inputs + cell.Candidates[i].Column]);
            }
        }, iter: 2000, seed: "0000000000001");

    /// <summary>Groups of every size, keeps of every size: against a stable sort.</summary>
    [Fact]
    public void Complementary_KeepsTheGreatest_ByStableSort() =>
        Gen.Select(Gens.Layout, Gen.Int[0, int.MaxValue], Gen.Bool).Sample((layout, seed, ties) =>
        {
            float[] scores = SyntheticWeights.Gaussian(layout.Shape.Count, seed);
            if (ties)
                scores = Array.ConvertAll(scores, score => MathF.Round(score * 2) / 2);
            bool[] mask = Projection.Project(scores, layout);
            foreach (NaiveCell cell in NaiveLayout.Cells(layout.Pattern, layout.Shape))
            {
                BigInteger[] sums = [.. cell.Candidates.Select((_, i) => Total(scores, layout.Shape, cell, i).Finite)];
                var kept = Enumerable.Range(0, sums.Length).OrderByDescending(i => sums[i]).Take(layout.Pattern.Keep).ToHashSet();
                for (int i = 0; i < sums.Length; i++)
                    Assert.All(cell.Candidates[i].Rows, row =>
                        Assert.Equal(kept.Contains(i), mask[row * layout.Shape.Inputs + cell.Candidates[i].Column]));
            }

            float[] again = [.. scores.Select((score, i) => mask[i] ? MathF.Abs(score) + 1 : 0)];
            Assert.Equal(mask, Projection.Project(again, layout)); // idempotent
        }, iter: 400, seed: "0000000000002");

    [Fact]
    public void Regions_AreOptimal_ByTryingAllSubsets() =>
        Gen.Select(SmallRegion,
            Gen.Select(Gen.Int[1, 2], Gen.Int[1, 2], Gen.Int[1, 3], Gen.Int[1, 2], (groups, outputs, channels, taps) =>
            new WeightShape([outputs * groups, channels, taps], groups)))
        .Where((pattern, shape) => pattern.RegionCount(shape) <= 14)
        .SelectMany(pair => Coarse.Array[pair.Item2.Count].Select(scores => (pair.Item1, pair.Item2, scores)))
        .Sample(sample =>
        {
            (RegionPattern pattern, WeightShape shape, float[] scores) = sample;
            int regions = pattern.RegionCount(shape);
            int[] regionOf = NaiveRegions(pattern, shape);
            Assert.Equal(regions, regionOf.Max() + 1);
            var sums = new (int Infinities, BigInteger Finite)[regions];
            for (int i = 0; i < scores.Length; i++)
                sums[regionOf[i]] = Add(sums[regionOf[i]], scores[i]);
            uint bestSubset = 0;
            (int Infinities, BigInteger Finite) best = (int.MinValue, 0);
            for (uint subset = 0; subset < 1u << regions; subset++)
            {
                if (BitOperations.PopCount(subset) != pattern.KeptCount(shape))
                    continue;
                (int Infinities, BigInteger Finite) total = (0, 0);
                for (int i = 0; i < regions; i++)
                    if ((subset >> i & 1) == 1)
                        total = (total.Infinities + sums[i].Infinities, total.Finite + sums[i].Finite);
                if (total.CompareTo(best) > 0 || (total == best && IsBefore(subset, bestSubset)))
                    (best, bestSubset) = (total, subset);
            }

            Assert.Equal(regionOf.Select(region => (bestSubset >> region & 1) == 1), Projection.Project(scores, pattern, shape));
        }, iter: 1000, seed: "0000000000003");

    [Fact]
    public void Unstructured_KeepsTheGreatest_ByStableSort() =>
        Gen.Select(Gen.Int[1, 3000], Gen.Double[0.001, 1], Gen.Int[0, int.MaxValue], Gen.Bool).Sample((count, density, seed, ties) =>
        {
            float[] scores = SyntheticWeights.Gaussian(count, seed);
            if (ties)
                scores = Array.ConvertAll(scores, score => MathF.Round(score * 4));
            var pattern = new UnstructuredPattern(density);
            WeightShape shape = WeightShape.Matrix(1, count);
            bool[] mask = Projection.Project(scores, pattern, shape);
            var kept = Enumerable.Range(0, count).OrderByDescending(i => scores[i]).Take(pattern.KeptCount(shape)).ToHashSet();
            Assert.Equal(Enumerable.Range(0, count).Select(kept.Contains), mask);
        }, iter: 300, seed: "0000000000004");

    [Theory]
    [InlineData("1:4")]
    [InlineData("1:4x2")]
    [InlineData("2:16/out")]
    [InlineData("2:20@strided")]
    [InlineData("unstructured:0.5")]
    [InlineData("block2x2:0.5")]
    [InlineData("channel:0.5")]
    public void NaN_IsRefused(string pattern)
    {
        foreach (int at in (int[])[0, 21, 45, 79])
        {
            var scores = new float[80];
            scores[at] = float.NaN;
            var error = Assert.Throws<PatternException>(
                () => Projection.Project(scores, SparsityPattern.Parse(pattern), WeightShape.Matrix(4, 20)));
            Assert.Equal($"The score of weight [{at / 20}, {at % 20}] is NaN; expected numbers. A training that diverged leaves such "
                + "weights.", error.Message);
        }
    }

    [Fact]
    public void WrongLength_IsRefused() =>
        Assert.Equal("7 scores were given for weights of shape 2×4, expected 8.",
            Assert.Throws<PatternException>(
                () => Projection.Project(new float[7], SparsityPattern.Parse("1:4"), WeightShape.Matrix(2, 4))).Message);

    private static readonly Gen<RegionPattern> SmallRegion = Gen.OneOf(
        Gen.Double[0.01, 1].Select(density => (RegionPattern)new UnstructuredPattern(density)),
        Gen.Double[0.01, 1].Select(density => (RegionPattern)new ChannelPattern(density)),
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], Gen.Double[0.01, 1], (height, width, density) =>
            (RegionPattern)new BlockPattern(height, width, density)));

    internal static int[] NaiveRegions(RegionPattern pattern, WeightShape shape)
    {
        // the key of each weight's region; regions are numbered in the order of the keys
        var keys = new List<(int, int, int, int)>();
        for (int row = 0; row < shape.Outputs; row++)
            for (int column = 0; column < shape.Inputs; column++)
                keys.Add(pattern switch
                {
                    UnstructuredPattern => (row, column, 0, 0),
                    ChannelPattern => (row, 0, 0, 0),
                    BlockPattern block =>
                        (row / shape.OutputsPerGroup, row % shape.OutputsPerGroup / block.Height, column / shape.Channels,
                        column % shape.Channels / block.Width),
                    _ => throw new InvalidOperationException(),
                });
        List<(int, int, int, int)> ordered = [.. keys.Distinct().Order()];
        return [.. keys.Select(key => ordered.IndexOf(key))];
    }

    private static bool IsBefore(uint subset, uint other) =>
        BitOperations.TrailingZeroCount(subset & ~other) < BitOperations.TrailingZeroCount(other & ~subset);

    private static (int Infinities, BigInteger Finite) Total(float[] scores, WeightShape shape, NaiveCell cell, uint subset)
    {
        (int, BigInteger) total = (0, 0);
        for (int i = 0; i < cell.Candidates.Length; i++)
            if ((subset >> i & 1) == 1)
                total = (total.Item1 + Total(scores, shape, cell, i).Infinities, total.Item2 + Total(scores, shape, cell, i).Finite);
        return total;
    }

    private static (int Infinities, BigInteger Finite) Total(float[] scores, WeightShape shape, NaiveCell cell, int candidate) =>
        cell.Candidates[candidate].Rows.Aggregate(
            (0, BigInteger.Zero), (total, row) => Add(total, scores[row * shape.Inputs + cell.Candidates[candidate].Column]));

    /// <summary>Exact: every finite float is an integer multiple of 2^-149.</summary>
    private static (int Infinities, BigInteger Finite) Add((int Infinities, BigInteger Finite) total, float value)
    {
        if (float.IsInfinity(value))
            return (total.Infinities + Math.Sign(value), total.Finite);
        int bits = BitConverter.SingleToInt32Bits(value), exponent = bits >> 23 & 0xFF;
        BigInteger fraction = exponent == 0 ? bits & 0x7FFFFF : bits & 0x7FFFFF | 0x800000;
        return (total.Infinities, total.Finite + Math.Sign(value) * (fraction << Math.Max(exponent - 1, 0)));
    }
}
