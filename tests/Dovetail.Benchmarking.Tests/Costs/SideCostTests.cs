using Dovetail.Benchmarking.Costs;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking.Tests.Costs;

public sealed class SideCostTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_fit_finds_the_constants_that_made_the_times(int seed)
    {
        var random = new Random(seed);
        var cost = new SideCost(
            random.NextDouble(), 10 + random.NextDouble() * 20, seed == 2 ? 0 : 5 + random.NextDouble() * 10, 3 + random.NextDouble() * 10,
            random.NextDouble() * 20);
        List<(LayerWork, double)> measured = [];
        for (int i = 0; i < 10; i++)
        {
            var work = new LayerWork(
                Math.Pow(10, random.NextDouble() * 4 + 3), Math.Pow(10, random.NextDouble() * 4 + 2),
                Math.Pow(10, random.NextDouble() * 4 + 2), Math.Pow(10, random.NextDouble() * 4 + 2));
            measured.Add((work, cost.Microseconds(work)));
        }

        var fit = SideCost.Fit(measured);
        foreach ((LayerWork work, double time) in measured)
            Assert.Equal(1, fit.Microseconds(work) / time, 1e-3);
    }

    [Fact]
    public void No_constant_is_negative_whatever_noise_says()
    {
        var random = new Random(5);
        for (int trial = 0; trial < 20; trial++)
        {
            var fit = SideCost.Fit(
                [.. Enumerable.Range(0, 8)
                .Select(_ =>
                (new LayerWork(random.Next(1, 1_000_000), random.Next(1, 1_000_000), random.Next(1, 1_000_000), random.Next(1, 1_000_000)),
                0.1 + random.NextDouble() * 50))]);
            Assert.True(fit.IsSound());
        }

        Assert.False(new SideCost(0, 1, -1, 0, 0).IsSound());
        Assert.False(new SideCost(double.NaN, 1, 1, 0, 0).IsSound());
    }

    [Fact]
    public void Work_counts_what_is_read_and_multiplied()
    {
        // 40 outputs ride in three vectors of 16 lanes; 3·3 taps of 32 channels hold 2 cells of 16.
        var geometry = new ConvolutionGeometry(10, 12, 3, 3, 1, 1, 1, 1, 1, 1);
        var workload = new LayerWorkload("conv", "Conv", 40, 120, 288, geometry);
        var weights = new WeightShape([40, 32, 3, 3]);
        Assert.Equal(
            new LayerWork(2.0 * 40 * 120 * 288, 40 * 288 * 4, 32 * 120 * 4 * 2, 40 * 120 * 4 * 2),
            LayerWork.Dense(workload, weights, DType.Float32, batch: 2));
        Assert.Equal(
            new LayerWork(48 * 18 * 120, 48 * 18 * 5, 32 * 120 * 4, 40 * 120 * 4),
            LayerWork.Packed(workload, weights, new ComplementaryPattern(1, 16), DType.Float32, batch: 1));
        Assert.Equal(
            new LayerWork(48 * 18 * 120, 48 * 18 * 2, 32 * 120, 40 * 120),
            LayerWork.Packed(workload, weights, new ComplementaryPattern(1, 16), DType.Int8, batch: 1));
        Assert.Equal(
            new LayerWork(8 * 3 * 64, 8 * 64 * 4, 64 * 3 * 4, 8 * 3 * 4),
            LayerWork.Dense(new LayerWorkload("fc", "Gemm", 8, 3, 64), WeightShape.Matrix(8, 64), DType.Float32, batch: 1));
    }
}
