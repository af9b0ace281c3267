using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Rtl.Cosimulation;
using Dovetail.Rtl.Emit;

namespace Dovetail.Rtl.Tests.Cosimulation;

/// <summary>The comparison finds RTL with one changed line; tools that are missing or fail give clear messages.</summary>
public sealed class BrokenRtlTests
{
    private static readonly ArrayConfig s_config = Arrays.Config(3, 3, "1:4", 2, true);

    /// <summary>One wrong bit of an owner, of a sum, and one cycle too many in a delay.</summary>
    [Theory]
    [InlineData(
        "dovetail_selector.sv", "owner == OWNER_BITS'(g)", "owner == (OWNER_BITS'(g) ^ OWNER_BITS'(2))",
        "Partial sum of pixel 0, column 0")]
    [InlineData("dovetail_control.sv", "tokens[TOKENS-1-:CLUSTERS]", "{CLUSTERS{tokens[TOKENS-1]}}", "of pixel 0, column 0")]
    public void One_changed_line_is_found(string file, string from, string to, string difference)
    {
        IReadOnlyList<SourceFile> good = RtlGenerator.Render(s_config);
        Assert.Contains(from, good.Single(source => source.Name == file).Text, StringComparison.Ordinal);
        SourceFile[] broken = [
            .. good.Select(
                source => source.Name == file ? source with { Text = source.Text.Replace(from, to, StringComparison.Ordinal) } : source)];
        ArrayTile tile = Arrays.Tile(s_config, 6, new Random(3));

        RtlTileResult found = new VerilatorDriver().Build(s_config, broken).Run([tile])[0];

        TileDifference? first = TileCosimulation.Compare(new WeightStationaryArray(s_config).Run(tile), found);
        Assert.NotNull(first);
        Assert.Contains(difference, first.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Comparison_names_the_first_difference()
    {
        var expected = new ArrayTileResult(2, 2, [1, 2, 3, 4], [5, 6, 6, 7], 2, 8);
        Assert.Null(TileCosimulation.Compare(expected, new RtlTileResult(2, 2, [1, 2, 3, 4], [5, 6, 6, 7], 2, 8)));
        Assert.Equal(
            "Partial sum of pixel 1, column 0: the simulator has 3, the RTL 9 (stream cycle 6).",
            TileCosimulation.Compare(expected, new RtlTileResult(2, 2, [1, 2, 9, 0], [5, 6, 6, 7], 2, 8))?.ToString());
        Assert.Equal(
            "Output cycle of pixel 0, column 1: the simulator has 6, the RTL 7 (stream cycle 7).",
            TileCosimulation.Compare(expected, new RtlTileResult(2, 2, [1, 2, 3, 4], [5, 7, 6, 7], 2, 8))?.ToString());
        Assert.Equal(
            "Stream cycles: the simulator has 8, the RTL 9.",
            TileCosimulation.Compare(expected, new RtlTileResult(2, 2, [1, 2, 3, 4], [5, 6, 6, 7], 2, 9))?.ToString());
        Assert.Equal("pixels", TileCosimulation.Compare(expected, new RtlTileResult(1, 2, [1, 2], [5, 6], 2, 8))?.What);
    }

    [Fact]
    public void Syntax_error_gives_verilators_last_lines()
    {
        SourceFile[] broken = [.. RtlGenerator.Render(s_config).Select(source =>
            source.Name == "dovetail_pe.sv"
                ? source with { Text = source.Text.Replace("endmodule", "endmodul", StringComparison.Ordinal) }
                : source)];
        var error = Assert.Throws<RtlException>(() => new VerilatorDriver().Build(s_config, broken));
        Assert.Contains("verilator failed with exit code", error.Message, StringComparison.Ordinal);
        Assert.Contains("dovetail_pe.sv", error.Message, StringComparison.Ordinal);
        Assert.Contains("%Error", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tile_of_another_array_is_refused()
    {
        var array = new VerilatedArray(s_config, "none");
        var error = Assert.Throws<RtlException>(() => array.Run([Arrays.Tile(Arrays.Config(2, 3, "1:4", 2, true), 1, new Random(1))]));
        Assert.Contains("2×3", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1:1", 1, false, MultiplierStyle.Operator)]
    [InlineData("1:1", 4, true, MultiplierStyle.FullAdders)]
    [InlineData("1:4", 2, false, MultiplierStyle.FullAdders)]
    [InlineData("4:64", 3, true, MultiplierStyle.Operator)]
    [InlineData("1:2", 1, true, MultiplierStyle.Operator)]
    public void Lint_finds_nothing(string pattern, int cluster, bool registered, MultiplierStyle multiplier)
    {
        var driver = new VerilatorDriver();
        foreach ((int rows, int columns) in new[] { (1, 1), (2, 5), (5, 2) })
            Assert.Equal(
                "", driver.Lint(
                    RtlGenerator.Render(Arrays.Config(rows, columns, pattern, cluster, registered), new RtlOptions(multiplier))));
    }
}
