using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Dovetail.Samples.Tests;

/// <summary>
/// The C# samples in the order of samples/README.md, each on what the one before wrote. (The C sample runs with the tests of
/// the native library.)
/// </summary>
public sealed partial class SampleTests
{
    [Fact]
    public void Every_sample_runs_on_what_the_one_before_wrote()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("dovetail-samples-");
        try
        {
            Assert.Contains("block1.conv1: 9,216 of 147,456 weights hold", Run("prune", folder), StringComparison.Ordinal);
            string packed = Run("pack", folder);
            Assert.Contains("stem: dense, 1 channel is fewer than the group, 16", packed, StringComparison.Ordinal);
            Assert.Contains("block1.conv1: 1:16, 589,824 → 41,472 bytes", packed, StringComparison.Ordinal);
            Match sizes = Sizes().Match(packed);
            Assert.True(Number(sizes.Groups["before"]) > 10 * Number(sizes.Groups["after"]), packed);

            Assert.Equal(2, Image().Count(Run("run", folder)));
            Assert.Contains("run 2: 10 outputs in", Run("own-session", folder), StringComparison.Ordinal);
            Match cycles = Cycles().Match(Run("simulate", folder));
            Assert.True(Number(cycles.Groups["before"]) > 10 * Number(cycles.Groups["after"]), cycles.Value);
            Assert.Contains(
                "block1.conv1: 1:16 on 128×128×3×3, 41,472 bytes, 9,216 of 147,456 weights", Run("safetensors", folder),
                StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_index_names_every_sample()
    {
        string index = File.ReadAllText(Path.Combine(Repository.Root, "samples", "README.md"));
        foreach (string sample in Directory.EnumerateDirectories(Path.Combine(Repository.Root, "samples")))
            Assert.Contains($"]({Path.GetFileName(sample)}/", index, StringComparison.Ordinal);
    }

    private static string Run(string sample, DirectoryInfo folder)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory); // …/bin/Release/net10.0
        string file = Path.Combine(Repository.Root, "samples", sample, "bin", here.Parent!.Name, here.Name, sample + ".dll");
        var start = new ProcessStartInfo("dotnet", [file])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.FullName,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{sample} ended with {process.ExitCode}: {output.Result}{errors.Result}");
        return output.Result;
    }

    private static long Number(Group group) => long.Parse(group.Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<before>[\d,]+) → (?<after>[\d,]+) bytes in packed.onnx$", RegexOptions.Multiline)]
    private static partial Regex Sizes();

    [GeneratedRegex(@"^image \d: class \d, logits( -?\d\.\d{3}){10}$", RegexOptions.Multiline)]
    private static partial Regex Image();

    [GeneratedRegex(@"^network +(?<before>[\d,]+) → +(?<after>[\d,]+) cycles", RegexOptions.Multiline)]
    private static partial Regex Cycles();
}
