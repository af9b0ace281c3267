using Dovetail.Fuzz;

namespace Dovetail.Rtl.Tests.Synthesis;

public sealed class LibertyFuzzTests
{
    /// <summary>Typed exceptions only, bounded allocation, no hang; scripts/fuzz.sh goes on from here.</summary>
    [Fact]
    public void Mutated_libraries_are_read_or_refused()
    {
        FuzzResult result = new FuzzRun(new LibertyTarget(), seed: 20261126).Run(0, 3000, _ => true);
        Assert.True(
            result.Findings.Count == 0, string.Join('\n', result.Findings.Select(finding => $"input {finding.Index}: {finding.What}")));
        Assert.True(result.Accepted > 0 && result.Refused > 0, $"{result.Accepted} read, {result.Refused} refused");
    }
}
