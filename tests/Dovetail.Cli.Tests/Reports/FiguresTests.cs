using CsCheck;
using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;

namespace Dovetail.Cli.Tests.Reports;

public sealed class FiguresTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(1.234567, "1.23")]
    [InlineData(12.34567, "12.3")]
    [InlineData(1234.567, "1,235")]
    [InlineData(-0.0123, "−0.0123")]
    [InlineData(3.8e-6, "3.8e−6")]
    [InlineData(double.NaN, "–")]
    [InlineData(double.PositiveInfinity, "–")]
    public void Three_significant_digits(double value, string text) => Assert.Equal(text, Figures.Significant(value));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.00 kB")]
    [InlineData(58_911, "58.9 kB")]
    [InlineData(999_500, "1.00 MB")]
    [InlineData(1_497_213, "1.50 MB")]
    public void Bytes_are_decimal(long bytes, string text) => Assert.Equal(text, Figures.Bytes(bytes));

    [Fact]
    public void Shares_points_and_times()
    {
        Assert.Equal("91.87 %", Figures.Percent(0.9187));
        Assert.Equal("93.75 %", Figures.ShortPercent(0.9375));
        Assert.Equal("50 %", Figures.ShortPercent(0.5));
        Assert.Equal("−0.94 points", Figures.Points(-0.0094));
        Assert.Equal("±0 points", Figures.Points(-0.00001));
        Assert.Equal("8.92×", Figures.Ratio(8.9217));
        Assert.Equal("4 min 22 s", Figures.Seconds(262.4));
        Assert.Equal("–", Figures.Ratio(Figures.Over(1, 0)));
        Assert.Equal("2.00× slower", Words.Faster(0.5));
        Assert.Equal("as fast", Words.Faster(1.001));
        Assert.Equal("same size", Words.Smaller(0.9999));
    }

    [Fact]
    public void Ticks_cover_the_range_in_round_steps() =>
        Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[1e-6, 1e6]).Sample((low, range) =>
        {
            AxisTicks ticks = AxisTicks.Cover(low, low + range);
            double slack = 1e-6 * Math.Max(ticks.Step, 1e-9 * Math.Abs(low));
            double mantissa = ticks.Step / Math.Pow(10, Math.Floor(Math.Log10(ticks.Step * 1.0000001)));
            return ticks.Minimum <= low + slack + 1e-8 * ticks.Step && ticks.Maximum >= low + range - slack - 1e-8 * ticks.Step
                && ticks.Values.Count is >= 2 and <= 8
                && new[] { 1.0, 2, 5, 10 }.Any(round => Math.Abs(mantissa - round) < 1e-6);
        }, iter: 2000, seed: "0000KOIPe9C3");

    [Fact]
    public void Ticks_of_one_value_still_have_a_range()
    {
        foreach (double value in (double[])[0, 1, -3.5])
        {
            AxisTicks ticks = AxisTicks.Cover(value, value);
            Assert.True(ticks.Minimum < value && value < ticks.Maximum);
        }
    }

    [Fact]
    public void Whole_ticks_are_few_and_inside()
    {
        for (int last = 1; last <= 300; last++)
        {
            IReadOnlyList<int> ticks = AxisTicks.Whole(1, last);
            Assert.InRange(ticks.Count, 1, 9);
            Assert.All(ticks, tick => Assert.InRange(tick, 1, last));
        }
    }
}
