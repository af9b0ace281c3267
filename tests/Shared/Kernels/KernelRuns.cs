namespace Dovetail.Tests.Kernels;

/// <summary>How many cases each kernel ran, so that none passes by accepting nothing.</summary>
internal sealed class KernelRuns(IEnumerable<string> kernels)
{
    private readonly Dictionary<string, int> _counts = kernels.ToDictionary(name => name, _ => 0);

    public void Count(string kernel) => _counts[kernel]++;

    /// <summary>Every kernel ran so many cases.</summary>
    public void AssertAll(int least) =>
        Assert.All(_counts, pair => Assert.True(pair.Value >= least, $"{pair.Key} ran {pair.Value} cases, expected {least} or more."));

    /// <summary>The kernels that were expected to run, and at least one, ran so many cases.</summary>
    public void AssertRan(IReadOnlyCollection<string> expected, int least)
    {
        Assert.NotEmpty(expected);
        Assert.All(expected, name => Assert.True(_counts[name] >= least, $"{name} ran {_counts[name]} cases, expected {least} or more."));
    }
}
