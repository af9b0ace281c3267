using Dovetail.Accelerator.Config;
using Dovetail.Core.Patterns;
using Dovetail.Rtl.Emit;
using Dovetail.Rtl.Synthesis;

namespace Dovetail.Rtl.Tests.Synthesis;

public sealed class YosysDriverTests(ITestOutputHelper output)
{
    /// <summary>Bounds on the array alone, a little below what Yosys 0.23 gives; a newer one maps better, not worse.</summary>
    [Theory]
    [InlineData("1:4", 0.80)]
    [InlineData("1:8", 0.74)]
    [InlineData("1:16", 0.62)]
    public void Complementary_array_gains_throughput_per_area(string text, double shareOfGroup)
    {
        var pattern = ComplementaryPattern.Parse(text);
        SynthesisComparison comparison = new YosysDriver().Compare(ArrayConfig.Complementary(4, 4, pattern));
        output.WriteLine(
            $"{text}: area {comparison.Dense.Area} and {comparison.Complementary.Area} (arrays {comparison.Dense.ArrayArea}, "
            + $"{comparison.Complementary.ArrayArea}; " +
            $"PEs {comparison.Dense.PeArea}, {comparison.Complementary.PeArea}; skew {comparison.Dense.SkewArea}, "
            + $"{comparison.Complementary.SkewArea}; " +
            $"control {comparison.Dense.ControlArea}, {comparison.Complementary.ControlArea}), " +
            $"path {comparison.Dense.CriticalPathNanoseconds:0.000} and {comparison.Complementary.CriticalPathNanoseconds:0.000} ns, " +
            $"gain {comparison.ThroughputPerAreaGain:0.00}, arrays {comparison.ArrayThroughputPerAreaGain:0.00}");

        Assert.InRange(comparison.ArrayThroughputPerAreaGain, shareOfGroup * pattern.Group, pattern.Group);
        Assert.InRange(comparison.ThroughputPerAreaGain, 0.5 * pattern.Group, comparison.ArrayThroughputPerAreaGain);
        Assert.InRange(comparison.CriticalPathRatio, 0.8, 1.05);
        Assert.Equal("µm²", comparison.AreaUnit);
        Assert.Equal((16.0, 16.0), Part("multipliers"));
        Assert.Equal((128.0, 128.0), Part("weight registers"));
        Assert.Equal((0.0, 16.0 * Math.Ceiling(Math.Log2(pattern.Group))), Part("owner registers"));
        Assert.Equal((32.0, 32.0 * pattern.Group), Part("lane registers"));
        Assert.Equal((comparison.Dense.PeArea, comparison.Complementary.PeArea), Part("one PE"));
        foreach (SynthesisFigures figures in new[] { comparison.Dense, comparison.Complementary })
        {
            Assert.True(
                figures.PeArea * 16 < figures.ArrayArea && figures.ArrayArea + figures.SkewArea + figures.ControlArea <= figures.Area);
            Assert.True(figures.CriticalPath.Count > 2);
        }

        (double, double) Part(string name)
        {
            ArrayComponent part = comparison.Components.Single(component => component.Name == name);
            return (part.Dense, part.Complementary);
        }
    }

    /// <summary>Without operand registers a selector lies before the multiplier: the path grows, the area shrinks.</summary>
    [Fact]
    public void Registered_selection_trades_area_for_clock()
    {
        var driver = new YosysDriver();
        ArrayConfig registered = Arrays.Config(1, 1, "1:16", 1, true);
        SynthesisFigures with = driver.Synthesise(registered), without = driver.Synthesise(registered with { RegisteredSelection = false });
        Assert.True(without.CriticalPathNanoseconds > with.CriticalPathNanoseconds);
        Assert.InRange(with.PeArea - without.PeArea, 8 * 96 - 150, 8 * 96 + 150); // eight DFFPOSX1 of 96 µm², and how ABC maps the rest
    }

    [Fact]
    public void Adder_cells_shrink_the_pe()
    {
        var driver = new YosysDriver();
        ArrayConfig pe = Arrays.Config(1, 1, "1:1", 1, false);
        Assert.True(driver.Synthesise(pe).PeArea < 0.9 * driver.Synthesise(pe, MultiplierStyle.Operator).PeArea);
    }

    [Fact]
    public void Missing_library_is_a_missing_tool()
    {
        var error = Assert.Throws<ToolMissingException>(() => new YosysDriver("no/such.lib"));
        Assert.Contains("no/such.lib", error.Message, StringComparison.Ordinal);
    }
}
