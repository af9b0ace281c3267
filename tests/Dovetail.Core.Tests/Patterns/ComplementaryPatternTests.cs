using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

public sealed class ComplementaryPatternTests
{
    private const string Form =
        "keep:group with 1 <= keep <= group <= 256, then optionally xSHARE, /in or /out, @contiguous or @strided " +
        "(examples: 1:16, 4:64, 1:8/out, 2:16@strided, 1:16x2)";

    [Fact]
    public void Print_AndParse_AreInverse() => Gens.Pattern.Sample(pattern =>
    {
        Assert.Equal(pattern, ComplementaryPattern.Parse(pattern.ToString()));
        Assert.True(ComplementaryPattern.TryParse($" {pattern} ", out ComplementaryPattern? parsed));
        Assert.Equal(pattern, parsed);
    }, iter: 1000, seed: "0000000000001");

    [Theory]
    [InlineData("4:64", 4, 64, CellAxis.Input, Arrangement.Contiguous, 1, "4:64")]
    [InlineData("1:8/out", 1, 8, CellAxis.Output, Arrangement.Contiguous, 1, "1:8/out")]
    [InlineData("1:8/output@contiguous", 1, 8, CellAxis.Output, Arrangement.Contiguous, 1, "1:8/out")]
    [InlineData("2:16@strided", 2, 16, CellAxis.Input, Arrangement.Strided, 1, "2:16@strided")]
    [InlineData("1:16x2/in", 1, 16, CellAxis.Input, Arrangement.Contiguous, 2, "1:16x2")]
    [InlineData("3:7x256/out@strided", 3, 7, CellAxis.Output, Arrangement.Strided, 256, "3:7x256/out@strided")]
    public void Examples_MeanWhatTheySay(
        string text, int keep, int group, CellAxis axis, Arrangement arrangement, int share, string printed)
    {
        ComplementaryPattern pattern = ComplementaryPattern.Parse(text);
        Assert.Equal(new ComplementaryPattern(keep, group, axis, arrangement, share), pattern);
        Assert.Equal(printed, pattern.ToString());
    }

    [Theory]
    [InlineData("", "'' is not a pattern; expected " + Form + ".")]
    [InlineData("4", "'4' is not a pattern; expected " + Form + ".")]
    [InlineData("4:64/", "'4:64/' is not a pattern; expected " + Form + ".")]
    [InlineData("4:64@diagonal", "'4:64@diagonal' is not a pattern; expected " + Form + ".")]
    [InlineData("-1:4", "'-1:4' is not a pattern; expected " + Form + ".")]
    [InlineData("١:٤", "'١:٤' is not a pattern; expected " + Form + ".")] // Arabic digits are digits to \d, not to us
    [InlineData("0:4", "'0:4' is not a pattern: Pattern keep is 0, expected 1 to the group, 4. The form is " + Form + ".")]
    [InlineData("5:4", "'5:4' is not a pattern: Pattern keep is 5, expected 1 to the group, 4. The form is " + Form + ".")]
    [InlineData("1:0", "'1:0' is not a pattern: Pattern group is 0, expected 1 to 256. The form is " + Form + ".")]
    [InlineData("1:257", "'1:257' is not a pattern: Pattern group is 257, expected 1 to 256. The form is " + Form + ".")]
    [InlineData("1:4x0", "'1:4x0' is not a pattern: Pattern share is 0, expected 1 to 256. The form is " + Form + ".")]
    [InlineData(
        "1:99999999999", "'1:99999999999' is not a pattern: Value was either too large or too small for an Int32. The form is " + Form
        + ".")]
    public void NoPattern_SaysWhatIsAllowed(string text, string message)
    {
        Assert.Equal(message, Assert.Throws<PatternException>(() => ComplementaryPattern.Parse(text)).Message);
        Assert.False(ComplementaryPattern.TryParse(text, out ComplementaryPattern? pattern));
        Assert.Null(pattern);
    }

    [Fact]
    public void TryParse_TakesNull()
    {
        Assert.False(ComplementaryPattern.TryParse(null, out ComplementaryPattern? pattern));
        Assert.Null(pattern);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(5, 3)]
    [InlineData(64, 6)]
    [InlineData(65, 7)]
    [InlineData(255, 8)]
    [InlineData(256, 8)]
    public void IndexBits_AreTheLogarithmRoundedUp(int group, int bits) =>
        Assert.Equal(bits, new ComplementaryPattern(1, group).IndexBits);
}
