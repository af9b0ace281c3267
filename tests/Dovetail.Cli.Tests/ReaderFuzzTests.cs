using Dovetail.Fuzz;

namespace Dovetail.Cli.Tests;

/// <summary>Every reader of a user's files takes any bytes: scripts/fuzz.sh goes on from here.</summary>
public sealed class ReaderFuzzTests
{
    private static readonly Dictionary<string, Func<FuzzTarget>> s_targets = new()
    {
        ["input"] = () => new InputTarget(),
        ["shapes"] = () => new ShapesTarget(),
        ["topology"] = () => new TopologyTarget(),
        ["energy"] = () => new EnergyTarget(),
        ["latency"] = () => new LatencyTarget(),
    };

    public static TheoryData<string> Targets => [.. s_targets.Keys];

    /// <summary>Typed exceptions only, bounded allocation, no hang.</summary>
    [Theory]
    [MemberData(nameof(Targets))]
    public void Mutated_files_are_read_or_refused(string name)
    {
        FuzzResult result = new FuzzRun(s_targets[name](), seed: 20261126).Run(0, 3000, _ => true);
        Assert.True(
            result.Findings.Count == 0, string.Join('\n', result.Findings.Select(finding => $"input {finding.Index}: {finding.What}")));
        Assert.True(result.Accepted > 0 && result.Refused > 0, $"{result.Accepted} read, {result.Refused} refused");
    }
}
