using System.Text.Json;
using System.Text.Json.Nodes;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Tests.Commands;

/// <summary><c>dovetail pack</c> decides by its calibrations; these are replaced here, so that no clock decides a test.</summary>
public sealed class PackTests
{
    [Fact]
    public async Task Layers_that_would_not_gain_stay_dense_and_the_verb_says_why()
    {
        using var folder = new TemporaryFolder();
        await WriteMlp(folder);
        await PackAsync(folder); // measures, whatever comes out
        string file = Assert.Single(Directory.GetFiles(folder.File("cache/calibration")));

        // 784·512 and 512·512 products at 20 µs a million, dense; packed a sixteenth of that and 5 µs a node more.
        Replace(file, dense: (1, 20), packed: (6, 20));
        CliProcess.Outcome mixed = await PackAsync(folder);
        Assert.True(mixed.ExitCode == 0, mixed.Error);
        Assert.DoesNotContain("Calibrating", mixed.Error); // it came from the cache
        using JsonDocument json = JsonDocument.Parse(mixed.Output);
        JsonElement[] layers = [.. json.RootElement.GetProperty("layers").EnumerateArray()];
        Assert.Equal(["1:16", null, null], layers.Select(layer => layer.GetProperty("pattern").GetString()));
        Assert.Equal("dense 6.2 µs, packed 6.3 µs predicted", layers[1].GetProperty("dense_reason").GetString());
        Assert.Equal(1 + 20 * 784 * 512 / 1e6, layers[0].GetProperty("prediction").GetProperty("dense_us").GetDouble(), 6);
        Assert.Equal(0.05, json.RootElement.GetProperty("predicted_for").GetProperty("least_gain").GetDouble());
        Assert.Contains("dense 6.2 µs, packed 6.3 µs predicted", mixed.Error); // the table for people
        Assert.Contains("Predicted on this machine (batch 1, 1 thread)", mixed.Error);

        Replace(file, dense: (1, 20), packed: (60, 20));
        CliProcess.Outcome none = await PackAsync(folder);
        Assert.NotEqual(0, none.ExitCode);
        string message = none.ErrorLines[^1];
        Assert.StartsWith("dovetail: Packing would not make ", message, StringComparison.Ordinal);
        Assert.EndsWith("give --pack all: a smaller file of all layers that satisfy their pattern.", message, StringComparison.Ordinal);
        Assert.Contains(none.ErrorLines, line => line.Contains("fc1", StringComparison.Ordinal)); // the table

        CliProcess.Outcome all = await PackAsync(folder, "--pack", "all");
        Assert.True(all.ExitCode == 0, all.Error);
        using JsonDocument everything = JsonDocument.Parse(all.Output);
        Assert.Equal(JsonValueKind.Null, everything.RootElement.GetProperty("predicted_for").ValueKind);
        Assert.All(everything.RootElement.GetProperty("layers").EnumerateArray(), layer =>
            Assert.Equal("1:16", layer.GetProperty("pattern").GetString()));
    }

    [Fact]
    public async Task A_damaged_calibration_is_measured_again_with_a_note_and_anew_on_request()
    {
        using var folder = new TemporaryFolder();
        await WriteMlp(folder);
        await PackAsync(folder);
        string file = Assert.Single(Directory.GetFiles(folder.File("cache/calibration")));
        await File.WriteAllTextAsync(file, "{");
        CliProcess.Outcome again = await PackAsync(folder);
        Assert.Contains("measuring anew", again.Error);
        Assert.NotNull(JsonNode.Parse(await File.ReadAllTextAsync(file)));

        Replace(file, dense: (1e6, 20), packed: (0, 0));
        await PackAsync(folder, "--calibrate");
        Assert.NotEqual(1e6, JsonNode.Parse(await File.ReadAllTextAsync(file))!["Dense"]!["NodeMicroseconds"]!.GetValue<double>());
    }

    [Fact]
    public async Task A_layer_that_breaks_what_the_file_declares_is_an_error_and_nothing_is_written()
    {
        using var folder = new TemporaryFolder();
        await WriteMlp(folder);
        OnnxModel model = OnnxModel.Load(folder.File("sparse.onnx"));
        WeightLayer layer = WeightLayers.Find(model)[1];
        float[] weights = layer.GetWeights();
        Array.Fill(weights, float.NaN);
        layer.SetWeights(weights);
        model.Save(folder.File("sparse.onnx"));
        CliProcess.Outcome declared = await CliProcess.RunAsync(
            "pack", folder.File("sparse.onnx"), "--out", folder.File("packed.onnx"), "--pack", "all");
        Assert.Equal(1, declared.ExitCode);
        Assert.Contains("fc2 (1:16): the weight at row 0, column 0 is NaN, expected a finite number", Assert.Single(declared.ErrorLines));
        Assert.False(File.Exists(folder.File("packed.onnx")));

        CliProcess.Outcome named = await PackAsync(folder, "--pack", "all"); // --pattern: the table says why it stays dense
        Assert.True(named.ExitCode == 0, named.Error);
        Assert.Contains("NaN", JsonNode.Parse(named.Output)!["layers"]![1]!["dense_reason"]!.GetValue<string>());
    }

    /// <summary>bf16 is multiplied in contiguous groups to 32 along the inputs; elsewhere operands are rounded for nothing.</summary>
    [Theory]
    [InlineData("4:64", true)]
    [InlineData("1:16@strided", true)]
    [InlineData("1:32", false)]
    public async Task Bf16_operands_that_gain_nothing_are_said_to(string pattern, bool isSaid)
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome zoo = await CliProcess.RunAsync("zoo", "write", "mlp", folder.File("sparse.onnx"), "--pattern", pattern);
        Assert.True(zoo.ExitCode == 0, zoo.Error);
        string[] pack = ["pack", folder.File("sparse.onnx"), "--pack", "all", "--out", folder.File("packed.onnx")];
        CliProcess.Outcome bf16 = await CliProcess.RunAsync([.. pack, "--operands", "bf16"]), fp32 = await CliProcess.RunAsync(pack);
        Assert.True(bf16.ExitCode == 0, bf16.Error);
        string note = $"--operands bf16 gains nothing in 3 of 3 layers and makes them less precise (fc1 {pattern}, fc2 {pattern}, ";
        Assert.Equal(isSaid, bf16.Output.Contains(note, StringComparison.Ordinal));
        Assert.DoesNotContain("gains nothing", fp32.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--values", "bf16")]
    [InlineData("--operands", "bf16")]
    public async Task Options_for_floats_are_refused_where_all_weights_are_int8(string option, string value)
    {
        using var folder = new TemporaryFolder();
        SparseModels.Int8("1:16").Save(folder.File("int8.onnx"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["pack", "int8.onnx", "--pack", "all", "--out", "packed.onnx", option, value], null, folder.Path);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains($"{option} has no effect", Assert.Single(outcome.ErrorLines));
        Assert.False(File.Exists(folder.File("packed.onnx")));
    }

    private static async Task WriteMlp(TemporaryFolder folder)
    {
        CliProcess.Outcome zoo = await CliProcess.RunAsync("zoo", "write", "mlp", folder.File("sparse.onnx"), "--pattern", "1:16");
        Assert.True(zoo.ExitCode == 0, zoo.Error);
    }

    private static Task<CliProcess.Outcome> PackAsync(TemporaryFolder folder, params string[] more) => CliProcess.RunAsync(
        ["pack", folder.File("sparse.onnx"), "--pattern", "1:16", "--out", folder.File("packed.onnx"), "--json", "-", .. more],
        new Dictionary<string, string?> { ["DOVETAIL_CACHE"] = folder.File("cache"), ["DOVETAIL_KERNEL"] = null });

    private static void Replace(string file, (double Node, double Products) dense, (double Node, double Products) packed)
    {
        JsonNode calibration = JsonNode.Parse(File.ReadAllText(file))!;
        foreach ((string side, (double node, double products)) in new[] { ("Dense", dense), ("Packed", packed) })
            calibration[side] = new JsonObject
            {
                ["NodeMicroseconds"] = node,
                ["MicrosecondsPerMegaproduct"] = products,
                ["MicrosecondsPerWeightMegabyte"] = 0,
                ["MicrosecondsPerInputMegabyte"] = 0,
                ["MicrosecondsPerOutputMegabyte"] = 0,
            };
        File.WriteAllText(file, calibration.ToJsonString());
    }
}
