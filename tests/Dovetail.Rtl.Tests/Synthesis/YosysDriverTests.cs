using Dovetail.Accelerator.Config;
using Dovetail.Core.Patterns;
using Dovetail.Rtl.Synthesis;

namespace Dovetail.Rtl.Tests.Synthesis;

public sealed class YosysDriverTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("1:4")]
    [InlineData("1:16")]
    public void GainOf(string pattern)
    {
        SynthesisComparison c = new YosysDriver().Compare(ArrayConfig.Complementary(4, 4, ComplementaryPattern.Parse(pattern)));
        output.WriteLine(c.ToString());
        output.WriteLine(string.Join('\n', c.Dense.CriticalPath));
        output.WriteLine(string.Join('\n', c.Complementary.CriticalPath));
    }
}
