using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Core.Patterns;

namespace Dovetail.Accelerator.Tests.Cost;

public sealed class AreaModelTests
{
    [Fact]
    public void The_constants_are_the_least_squares_fit_to_the_synthesis_results()
    {
        // Normal equations of ratio − 1 = a·multiplexers + b·registers over the results without sharing.
        double mm = 0, mr = 0, rr = 0, my = 0, ry = 0;
        foreach (SynthesisResult result in AreaModel.Synthesized.Where(result => result.Share == 1))
        {
            double multiplexers = (result.Group - 1) * 8;
            double registers = (result.Group - 1) * 8.0 / result.ClusterColumns + Math.Log2(result.Group) + (
                result.RegisteredSelection ? 8 : 0);
            double y = result.RatioToDense - 1;
            mm += multiplexers * multiplexers;
            mr += multiplexers * registers;
            rr += registers * registers;
            my += multiplexers * y;
            ry += registers * y;
        }

        double determinant = mm * rr - mr * mr;
        Assert.Equal(AreaModel.MultiplexerBit, (my * rr - ry * mr) / determinant, 1e-6);
        Assert.Equal(AreaModel.RegisterBit, (ry * mm - my * mr) / determinant, 1e-6);
    }

    [Fact]
    public void The_models_error_is_what_the_documentation_says()
    {
        foreach (SynthesisResult result in AreaModel.Synthesized)
        {
            double modelled = AreaModel.ModelledRatio(result.Group, result.ClusterColumns, result.RegisteredSelection, result.Share);
            double error = modelled - result.RatioToDense;
            Assert.True(result.Share == 1 ? Math.Abs(error) <= 0.0225 : error is >= 0.0205 and <= 0.0345, $"{result}: model {modelled:F4}");
        }
    }

    [Theory]
    [InlineData("1:2", 1.07, 1.87)]
    [InlineData("1:4", 1.13, 3.53)]
    [InlineData("1:8", 1.28, 6.27)]
    [InlineData("1:16", 1.53, 10.4)]
    public void The_default_variant_returns_its_synthesis_result(string pattern, double ratio, double gain)
    {
        AreaEstimate area = AreaModel.Estimate(ArrayConfig.Complementary(4, 4, ComplementaryPattern.Parse(pattern)));
        Assert.True(area.IsSynthesized);
        Assert.Equal(ratio, area.RatioToDense);
        Assert.Equal(gain, area.ThroughputPerAreaGain, 0.07);
        Assert.Equal(16 * ratio, area.PeEquivalents, 1e-9);
    }

    [Fact]
    public void Between_and_beyond_the_results_the_model_grows_with_the_group_and_shrinks_with_the_cluster()
    {
        double previous = 1;
        foreach (int group in new[] { 2, 3, 5, 6, 12, 24, 32, 64 })
        {
            AreaEstimate narrow = AreaModel.Estimate(
                ArrayConfig.Complementary(8, 8, new ComplementaryPattern(1, group)) with { ClusterColumns = 2 });
            AreaEstimate wide = AreaModel.Estimate(
                ArrayConfig.Complementary(8, 8, new ComplementaryPattern(1, group)) with { ClusterColumns = 8 });
            Assert.False(narrow.IsSynthesized);
            Assert.True(wide.RatioToDense < narrow.RatioToDense && narrow.RatioToDense > previous);
            previous = narrow.RatioToDense;
        }
    }

    [Fact]
    public void A_dense_array_is_its_own_unit()
    {
        AreaEstimate area = AreaModel.Estimate(ArrayConfig.Dense(16, 16));
        Assert.Equal((1.0, 256.0, 1.0), (area.RatioToDense, area.PeEquivalents, area.ThroughputPerAreaGain));
    }
}
