using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

public sealed class SparsityPatternTests
{
    private const string Allowed =
        "keep:group (e.g. 4:64, 1:8/out, 2:16@strided, 1:16x2), or with the density as a fraction or a decimal " +
        "unstructured:1/16, block4x4:0.0625, channel:1/2";

    [Fact]
    public void Print_AndParse_AreInverse() => Gen.OneOf(
        Gens.Pattern.Select(pattern => (SparsityPattern)pattern),
        Gen.Double[1e-9, 1].Select(density => (SparsityPattern)new UnstructuredPattern(density)),
        Gen.Double[1e-9, 1].Select(density => (SparsityPattern)new ChannelPattern(density)),
        Gen.Select(Gen.Int[1, 99], Gen.Int[1, 99], Gen.Double[1e-9, 1], (height, width, density) =>
            (SparsityPattern)new BlockPattern(height, width, density)))
        .Sample(pattern =>
        {
            Assert.Equal(pattern, SparsityPattern.Parse(pattern.ToString()));
            Assert.Equal(1, pattern.Density + pattern.Sparsity, 12);
        }, iter: 2000, seed: "0000000000001");

    [Theory]
    [InlineData("unstructured:1/16", "unstructured:0.0625", 0.0625)]
    [InlineData(" block4x8:0.25 ", "block4x8:0.25", 0.25)]
    [InlineData("channel:1", "channel:1", 1)]
    [InlineData("1:16x2", "1:16x2", 0.0625)]
    public void Examples_MeanWhatTheySay(string text, string printed, double density)
    {
        SparsityPattern pattern = SparsityPattern.Parse(text);
        Assert.Equal(printed, pattern.ToString());
        Assert.Equal(density, pattern.Density);
    }

    [Theory]
    [InlineData("", "'' is not a pattern; expected " + Allowed + ".")]
    [InlineData("dense", "'dense' is not a pattern; expected " + Allowed + ".")]
    [InlineData("unstructured", "'unstructured' is not a pattern; expected " + Allowed + ".")]
    [InlineData("unstructured:x", "'unstructured:x' is not a pattern; expected " + Allowed + ".")]
    [InlineData("unstructured:1/0", "'unstructured:1/0' is not a pattern; expected " + Allowed + ".")]
    [InlineData("block4:0.5", "'block4:0.5' is not a pattern; expected " + Allowed + ".")]
    [InlineData(
        "unstructured:0", "'unstructured:0' is not a pattern: Pattern density is 0, expected above 0 and at most 1. Expected " + Allowed
        + ".")]
    [InlineData(
        "channel:1.5", "'channel:1.5' is not a pattern: Pattern density is 1.5, expected above 0 and at most 1. Expected " + Allowed + ".")]
    [InlineData("block0x4:0.5", "'block0x4:0.5' is not a pattern: Block is 0x4, expected sides of at least 1. Expected " + Allowed + ".")]
    public void NoPattern_SaysWhatIsAllowed(string text, string message)
    {
        Assert.Equal(message, Assert.Throws<PatternException>(() => SparsityPattern.Parse(text)).Message);
        Assert.False(SparsityPattern.TryParse(text, out _));
        Assert.False(SparsityPattern.TryParse(null, out _));
    }

    [Fact]
    public void NonFiniteDensity_IsRefused() =>
        Assert.Equal(
            "Pattern density is NaN, expected above 0 and at most 1.", Assert.Throws<PatternException>(
                () => new UnstructuredPattern(double.NaN)).Message);

    [Fact]
    public void Nm_IsTheSpecialCase()
    {
        Assert.Equal(ComplementaryPattern.Parse("2:4"), NmPattern.Of(2, 4));
        Assert.True(NmPattern.IsNm(SparsityPattern.Parse("2:4")));
        Assert.All((string[])["2:4/out", "2:4@strided", "2:4x2", "unstructured:0.5"], text =>
            Assert.False(NmPattern.IsNm(SparsityPattern.Parse(text))));
    }

    [Theory]
    [InlineData(0.5, 5, 3)] // 2.5 rounds up
    [InlineData(0.01, 5, 1)] // never nothing
    [InlineData(1, 5, 5)]
    public void KeptCount_IsRounded(double density, int outputs, int kept) =>
        Assert.Equal(kept, new ChannelPattern(density).KeptCount(WeightShape.Matrix(outputs, 2)));
}
