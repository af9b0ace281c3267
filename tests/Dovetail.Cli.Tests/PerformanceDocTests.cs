using System.Globalization;
using System.Text.Json;

namespace Dovetail.Cli.Tests;

/// <summary>The tables of docs/performance.md are those of the committed measurements.</summary>
public sealed class PerformanceDocTests
{
    private static readonly string s_doc = File.ReadAllText(Path.Combine(Repository.Root, "docs", "performance.md"));

    private static readonly string[] s_networks = ["resnet50", "vit-s", "gpt2-small"];

    [Theory]
    [InlineData("1:4")]
    [InlineData("1:8")]
    [InlineData("1:16")]
    [InlineData("2:32")]
    [InlineData("1:32")]
    public void Fp32_layers(string pattern)
    {
        List<List<JsonElement>> networks = [.. s_networks.Select(network => Layers($"{network}-fp32", pattern))];
        string cells = string.Join(
            " | ", networks.Append([.. networks.SelectMany(layers => layers)]).Select(layers => Mean(layers, "ratio")));
        List<JsonElement> single = [.. networks.SelectMany(layers => layers).Where(IsSingleRow)];
        Assert.Contains($"| {pattern} | {cells} | {Mean(single, "ratio")} |", s_doc, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("int8", "4:64", "convolutions", false, false)]
    [InlineData("int8", "4:64", "products of many rows", true, false)]
    [InlineData("int8", "4:64", "products of one row", true, true)]
    [InlineData("bf16", "2:32", "convolutions", false, false)]
    [InlineData("bf16", "2:32", "products of many rows", true, false)]
    [InlineData("bf16", "2:32", "products of one row", true, true)]
    [InlineData("fp16", "1:16", "products of many rows", true, false)]
    [InlineData("fp16", "1:16", "products of one row", true, true)]
    public void Other_types(string type, string pattern, string group, bool isProduct, bool isSingleRow)
    {
        IEnumerable<string> networks = type == "fp16" ? ["gpt2-small"] : s_networks;
        List<JsonElement> layers = [.. networks.SelectMany(network => Layers($"{network}-{type}", pattern))
            .Where(layer => layer.GetProperty("op").GetString() != "Conv" == isProduct && IsSingleRow(layer) == isSingleRow)];
        Assert.NotEmpty(layers);
        Assert.Contains(
            $"| {type} {pattern} | {group} | {Mean(layers, "ratio")} | {Mean(layers, "ratio_int8")} |", s_doc, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resnet50-other-patterns", "4:64")]
    [InlineData("resnet50-other-patterns", "1:16/out")]
    [InlineData("resnet50-other-patterns", "1:16@strided")]
    [InlineData("resnet50-avx2-fp32", "1:16")]
    [InlineData("resnet50-avx2-fp32", "4:64")]
    [InlineData("resnet50-avx2-int8", "1:16")]
    [InlineData("resnet50-avx2-int8", "4:64")]
    [InlineData("gpt2-small-avx2-fp32", "1:16")]
    [InlineData("gpt2-small-avx2-int8", "1:16")]
    public void Other_kernels(string file, string pattern)
    {
        List<JsonElement> layers = Layers(file, pattern);
        Assert.Contains($"| `{file}` | {pattern} | {Mean(layers, "ratio")} | {Mean(layers, "ratio_int8")} | "
            + $"{Mean(layers, "useful_gflops", "0")} |", s_doc, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Networks(int threads)
    {
        JsonElement network = Read($"resnet50-network-{threads}-thread").GetProperty("network");
        string Number(string name, string format) => network.GetProperty(name).GetDouble().ToString(format, CultureInfo.InvariantCulture);
        Assert.Contains(
            $"| {threads} | {Number("dense_ms", "0.0")} ms | {Number("dense_int8_ms", "0.0")} ms | {Number("packed_ms", "0.0")} ms | "
            + $"{Number("ratio", "0.0")}× | {Number("ratio_int8", "0.0")}× |",
            s_doc, StringComparison.Ordinal);
    }

    [Fact]
    public void The_README_says_the_same()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md")).Replace('\n', ' ');
        JsonElement network = Read("resnet50-network-1-thread").GetProperty("network");
        List<JsonElement> int8 = [.. s_networks.SelectMany(name => Layers($"{name}-int8", "4:64"))
            .Where(layer => layer.GetProperty("op").GetString() != "Conv" && !IsSingleRow(layer))];
        string Number(string name) => network.GetProperty(name).GetDouble().ToString("0.0", CultureInfo.InvariantCulture);
        Assert.Contains($"at 1:16 runs {Number("ratio")} times as fast as ONNX Runtime's dense fp32 and {Number("ratio_int8")} times",
            readme, StringComparison.Ordinal);
        Assert.Contains($"1:16 gain {Mean([.. s_networks.SelectMany(name => Layers($"{name}-fp32", "1:16"))], "ratio")} on average", readme,
            StringComparison.Ordinal);
        Assert.Contains($"int8 at 4:64 {Mean(int8, "ratio", "0")}× over dense fp32 and {Mean(int8, "ratio_int8")} over dense int8", readme,
            StringComparison.Ordinal);
    }

    private static bool IsSingleRow(JsonElement layer) => layer.GetProperty("n").GetInt64() == 1;

    private static string Mean(IReadOnlyCollection<JsonElement> layers, string property, string format = "0.0")
    {
        double mean = Math.Exp(layers.Average(layer => Math.Log(layer.GetProperty(property).GetDouble())));
        return mean.ToString(format, CultureInfo.InvariantCulture) + (format == "0" ? "" : "×");
    }

    private static List<JsonElement> Layers(string file, string pattern) =>
        [.. Read(file).GetProperty("layers").EnumerateArray().Where(layer => layer.GetProperty("pattern").GetString() == pattern)];

    private static JsonElement Read(string name) =>
        JsonDocument.Parse(
            File.ReadAllText(Path.Combine(Repository.Root, "bench", "results", "amd-epyc-zen4", name + ".json"))).RootElement;
}
