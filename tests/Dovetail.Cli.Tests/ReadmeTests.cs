using System.Text.RegularExpressions;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Tests;

/// <summary>What the README claims is in the repository: its figures come from a committed run, its links lead somewhere.</summary>
public sealed class ReadmeTests
{
    private static readonly string s_readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    [Fact]
    public void The_figures_are_those_of_the_committed_run()
    {
        CodesignResult run = ResultJson.Read(Path.Combine(Repository.Root, "bench", "results", "amd-epyc-zen4", "codesign.json"));
        foreach (string figure in (string[])
        [
            $"| {run.Accuracy.Dense * 100:0.00} % | {run.Accuracy.Complementary * 100:0.00} % |",
            $"| {run.Accuracy.DenseInt8 * 100:0.00} % | {run.Accuracy.Int8 * 100:0.00} % |",
            $"{(double)run.Bytes.Dense / run.Bytes.Packed:0.0}× smaller",
            $"{(double)run.Bytes.DenseInt8 / run.Bytes.PackedInt8:0.0}× smaller",
            $"| {run.Speed.DenseMs:0.000} ms | {run.Speed.PackedMs:0.000} ms | {run.Speed.NetworkRatio:0.0}× ",
            $"| {run.Accelerator.DenseCycles:N0} | {run.Accelerator.ComplementaryCycles:N0} | {run.Accelerator.Speedup:0.0}× ",
            $"| {run.Accelerator.ThroughputPerArea:0.0}× |",
        ])
            Assert.Contains(figure, s_readme);
    }

    [Fact]
    public void Every_link_of_the_docs_leads_to_a_file()
    {
        foreach (string page in Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(Repository.Root, "README.md")).Append(Path.Combine(Repository.Root, "CONTRIBUTING.md")))
            foreach (Match link in Regex.Matches(File.ReadAllText(page), @"\]\((?<target>[^)#\s]+)"))
            {
                string target = link.Groups["target"].Value;
                if (!target.Contains("://"))
                    Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(page)!, target)), $"{page}: {target}");
            }
    }
}
