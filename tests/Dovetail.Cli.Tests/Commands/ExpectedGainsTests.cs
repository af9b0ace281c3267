using System.Text.Json;
using Dovetail.Cli.Commands.Doctor;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Tests.Commands;

/// <summary>The embedded table is that of the committed measurements; regenerate-gains.sh writes it anew.</summary>
public sealed class ExpectedGainsTests
{
    private const string FileName = "expected-gains.json";

    private static readonly Dictionary<string, string> s_types = new() { ["float32"] = "fp32", ["int8"] = "int8", ["bfloat16"] = "bf16" };

    [Fact]
    public void The_table_is_that_of_the_committed_measurements()
    {
        string text = JsonSerializer.Serialize(FromResults(), VerbOutput.JsonOptions) + "\n";
        if (Environment.GetEnvironmentVariable("DOVETAIL_GOLDEN_OUT") is { Length: > 0 } target)
        {
            File.WriteAllText(Path.Combine(target, FileName), text);
            return;
        }

        Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, "src", "Dovetail.Cli", "Commands", "Doctor", FileName)), text);
        Assert.Equal(text, JsonSerializer.Serialize(ExpectedGains.All, VerbOutput.JsonOptions) + "\n");
        Assert.Contains(ExpectedGains.All, gain => gain is { Type: "fp32", Pattern: "1:16", WithoutAvx512: false, Layers: 36 });
    }

    private static ExpectedGain[] FromResults() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "bench", "results"), "*.json", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).SelectMany(Layers)
            .GroupBy(layer => (layer.Results, layer.WithoutAvx512, layer.Type, layer.Pattern))
            .Select(group => new ExpectedGain(
                group.Key.Results, group.Key.WithoutAvx512, group.Key.Type, group.Key.Pattern,
                Mean(group.Select(layer => layer.Ratio)), Mean(group.Select(layer => layer.RatioInt8)), group.Count(),
                [.. group.Select(layer => layer.Network).Distinct()],
                [.. group.Select(layer => layer.Kernel).Distinct().Order(StringComparer.Ordinal)]))
            .OrderBy(gain => gain.Results, StringComparer.Ordinal).ThenBy(gain => gain.WithoutAvx512)
            .ThenBy(gain => s_types.Values.ToList().IndexOf(gain.Type)).ThenBy(gain => ComplementaryPattern.Parse(gain.Pattern).Sparsity)
            .ThenBy(gain => ComplementaryPattern.Parse(gain.Pattern).Group).ThenBy(gain => gain.Pattern.Length),
    ];

    /// <summary>The layers of what <c>bench --shapes</c> wrote, one thread; nothing of other files.</summary>
    private static IEnumerable<Measurement> Layers(string path)
    {
        JsonElement json = JsonDocument.Parse(File.ReadAllText(path)).RootElement;
        if (!json.TryGetProperty("shapes", out JsonElement shapes) || json.GetProperty("threads").GetInt32() != 1)
            yield break;
        foreach (JsonElement layer in json.GetProperty("layers").EnumerateArray())
            if (s_types.TryGetValue(layer.GetProperty("dtype").GetString()!, out string? type))
                yield return new Measurement(
                    Path.GetFileName(Path.GetDirectoryName(path))!, path.Contains("-avx2-", StringComparison.Ordinal), type,
                    layer.GetProperty("pattern").GetString()!, Path.GetFileNameWithoutExtension(shapes.GetString()!),
                    layer.GetProperty("kernel").GetString()!,
                    layer.GetProperty("ratio").GetDouble(), layer.GetProperty("ratio_int8").GetDouble());
    }

    private sealed record Measurement(
        string Results, bool WithoutAvx512, string Type, string Pattern, string Network, string Kernel, double Ratio, double RatioInt8);

    private static double Mean(IEnumerable<double> ratios) => Math.Round(Math.Exp(ratios.Average(Math.Log)), 2);
}
