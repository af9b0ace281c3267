using System.Text.Json;
using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Tests.Commands;

/// <summary>Small files that once were refused without need, dropped or called done when they were wrong: tests/Cases.</summary>
public sealed class CaseTests
{
    private static string Case(string name) => Path.Combine(Repository.Root, "tests", "Cases", name);

    [Fact]
    public async Task A_constant_on_the_left_is_a_layer()
    {
        JsonElement result = await JsonAsync("inspect", Case("1-matmul-left-constant/A.onnx"));
        JsonElement layer = Assert.Single(result.GetProperty("layers").EnumerateArray());
        Assert.Equal([2, 4], layer.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
    }

    [Fact]
    public async Task A_tiny_layer_that_satisfies_its_pattern_is_too_small_and_not_unfit()
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "pack", Case("1-tiny-pack-all-message/G.onnx"), "--pattern", "2:4", "--pack", "all", "--out", "/dev/null");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Equal(
            "dovetail: 'g' is too small to gain: packed, the file would be larger than it is. Run it as it is.",
            Assert.Single(outcome.ErrorLines));
        Assert.Contains("it satisfies 2:4, and packing it saves 14 bytes", outcome.Output);
    }

    [Fact]
    public async Task A_tail_cell_is_named_by_every_verb()
    {
        using var folder = new TemporaryFolder();
        const string said = "K = 10: the last cell of each row has 2 candidates and keeps 2";
        JsonElement pruned = await JsonAsync(
            "prune", Case("3-tail-not-named/c.onnx"), "--pattern", "2:4", "--out", folder.File("sparse.onnx"));
        Assert.Equal(said, Named(pruned, "layers", "lin_k10").GetProperty("note").GetString());
        JsonElement seen = await JsonAsync("inspect", folder.File("sparse.onnx"));
        Assert.Equal(said, Named(seen, "layers", "lin_k10").GetProperty("note").GetString());
        JsonElement verified = await JsonAsync("verify", folder.File("sparse.onnx"));
        Assert.Equal(said, Named(verified, "layers", "lin_k10").GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("nan.onnx", 40)]
    [InlineData("nan0.onnx", null)]
    public async Task A_weight_that_is_NaN_has_one_rule(string file, int? column)
    {
        using var folder = new TemporaryFolder();
        string path = Case("20-nan-weight/" + file);
        string words = $"the weight at row \\d+, column {(column is null ? "\\d+" : column)} is NaN, expected a finite number";
        JsonElement seen = await JsonAsync("inspect", path);
        Assert.Matches(words, Assert.Single(seen.GetProperty("layers").EnumerateArray()).GetProperty("note").GetString()!);
        foreach (string[] verb in (string[][])[
            ["verify", path], ["pack", path, "--out", folder.File("p.onnx")], ["prune", path, "--out", folder.File("s.onnx")]])
        {
            CliProcess.Outcome outcome = await CliProcess.RunAsync([.. verb, "--pattern", "1:8"]);
            Assert.Equal(1, outcome.ExitCode);
            Assert.Matches(words, (outcome.Output + outcome.Error).ReplaceLineEndings(" ").Replace("  ", " ", StringComparison.Ordinal));
        }

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task Index_bits_are_shown()
    {
        JsonElement seen = await JsonAsync("inspect", Case("8-simulate-packed-drops-depthwise/packed.onnx"));
        JsonElement layer = Named(seen, "layers", "pw");
        Assert.Equal((3, 64 * 8 * 3 / 8), (layer.GetProperty("index_bits").GetInt32(), layer.GetProperty("index_bytes").GetInt32()));
        Assert.Equal("DepthwiseConvNhwc", Named(seen, "layers", "dw2").GetProperty("op").GetString());
    }

    [Fact]
    public async Task External_data_counts_and_links_are_followed()
    {
        using var folder = new TemporaryFolder();
        string path = Case("20-external-data-size/extok.onnx");
        long bytes = new FileInfo(path).Length + new FileInfo(Path.Combine(Path.GetDirectoryName(path)!, "okweights.bin")).Length;
        Assert.Equal(bytes, (await JsonAsync("inspect", path)).GetProperty("file_bytes").GetInt64());
        JsonElement packed = await JsonAsync("pack", path, "--pattern", "1:8", "--pack", "all", "--out", folder.File("packed.onnx"));
        Assert.Equal(bytes, packed.GetProperty("bytes").GetProperty("dense").GetInt64());
        Assert.Equal(new FileInfo(folder.File("packed.onnx")).Length, packed.GetProperty("bytes").GetProperty("packed").GetInt64());
        File.CreateSymbolicLink(folder.File("link.onnx"), Case("20-nan-weight/nan.onnx"));
        JsonElement linked = await JsonAsync("inspect", folder.File("link.onnx"));
        Assert.Equal(new FileInfo(Case("20-nan-weight/nan.onnx")).Length, linked.GetProperty("file_bytes").GetInt64());
    }

    [Fact]
    public async Task A_packed_half_precision_model_loads()
    {
        using var folder = new TemporaryFolder();
        await JsonAsync(
            "pack", Case("20-fp16-fp64-pack-invalid/f16.onnx"), "--pattern", "1:8", "--pack", "all", "--out", folder.File("p.onnx"));
        using var session = Runtime.DovetailSession.Create(folder.File("p.onnx"));
        Assert.Equal(2, OnnxModel.Load(folder.File("p.onnx")).Nodes.Count(node => node.Is("Cast")));
    }

    [Fact]
    public async Task Simulate_counts_declared_patterns_and_every_depthwise_layer()
    {
        JsonElement declared = await JsonAsync("simulate", Case("8-simulate-declared-pattern-ignored/s.onnx"));
        Assert.Equal("2:4", Named(declared, "layers", "conv_c64").GetProperty("pattern").GetString());
        Assert.StartsWith(
            "3 of 6 layers are stored dense and counted by the pattern that the file declares", declared.GetProperty("assumption")
                .GetString());
        JsonElement satisfied = await JsonAsync("simulate", Case("8-simulate-undeclared-pattern/g8.onnx"), "--pattern", "2:4");
        Assert.Equal("2:4", Named(satisfied, "layers", "fc").GetProperty("pattern").GetString());
        Assert.Contains("their weights satisfy, 2:4", satisfied.GetProperty("assumption").GetString());
        JsonElement packed = await JsonAsync("simulate", Case("8-simulate-packed-drops-depthwise/packed.onnx"), "--pattern", "1:8");
        JsonElement sparse = await JsonAsync("simulate", Case("8-simulate-packed-drops-depthwise/sparse.onnx"), "--pattern", "1:8");
        Assert.Equal(
            Named(sparse, "layers", "dw2").GetProperty("cycles").GetInt64(), Named(packed, "layers", "dw2").GetProperty("cycles")
                .GetInt64());
        Assert.Equal(sparse.GetProperty("total_cycles").GetInt64(), packed.GetProperty("total_cycles").GetInt64());
        Assert.Equal(
            6, (await JsonAsync("simulate", Case("21-codesign-int8-depthwise/packed_int8.onnx"))).GetProperty("layers").GetArrayLength());
    }

    [Fact]
    public async Task Slots_that_hold_zero_are_no_useful_work()
    {
        double[] shares = [.. await Task.WhenAll(((string[])["full", "holes"]).Select(async name =>
            (await JsonAsync("simulate", Case($"14-utilization-counts-zeros/{name}.onnx"), "--pattern", "2:4"))
                .GetProperty("utilization").GetDouble()))];
        Assert.Equal(shares[0] / 4, shares[1], 3); // 50 % and 12.5 % of the weights are not zero
    }

    [Fact]
    public async Task A_simulation_can_be_watched_and_traced_cycle_by_cycle()
    {
        using var folder = new TemporaryFolder();
        string[] array = ["simulate", "--topology", Case("8-simulate-no-trace/top8.csv"), "--rows", "4", "--cols", "4", "--pattern", "2:4"];
        CliProcess.Outcome watched = await CliProcess.RunAsync([.. array, "--watch"]);
        Assert.Equal(0, watched.ExitCode);
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        JsonElement result = await JsonAsync([.. array, "--trace", folder.File("folds.json")]);
        long cycles = result.GetProperty("elapsed_cycles").GetInt64();
        Assert.Equal("cycle", result.GetProperty("mode").GetString());
        Assert.Equal(cycles, watched.Output.Split('\n').Count(line => line.StartsWith("cycle ", StringComparison.Ordinal)));
        Assert.Contains("g8: 8 pixels, 8 outputs, 8 inputs as 4 slots (2:4) on 4×4 PEs.", watched.Output, StringComparison.Ordinal);
        using JsonDocument trace = JsonDocument.Parse(await File.ReadAllBytesAsync(folder.File("folds.json"), cancellation));
        Assert.Contains(
            trace.RootElement.GetProperty("traceEvents").EnumerateArray(),
            one => one.GetProperty("name").GetString() == "g8" && one.GetProperty("dur").GetInt64() == cycles);
        await JsonAsync([.. array, "--trace", folder.File("array.vcd")]);
        Assert.Contains(
            $"#{cycles}\n", await File.ReadAllTextAsync(folder.File("array.vcd"), cancellation), StringComparison.Ordinal);
        CliProcess.Outcome refused = await CliProcess.RunAsync([.. array, "--trace", folder.File("array.txt")]);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("FILE.vcd", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cycles_are_those_that_elapse()
    {
        string[] array = ["--rows", "4", "--cols", "4", "--dataflow", "os"];
        JsonElement result = await JsonAsync(["simulate", "--topology", Case("9-os-cycle-convention/top4.csv"), .. array]);
        Assert.Equal((9, 10), (result.GetProperty("total_cycles").GetInt32(), result.GetProperty("elapsed_cycles").GetInt32()));
        Assert.Equal(64 / (16 * 10.0), result.GetProperty("utilization").GetDouble());
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("verify")]
    [InlineData("run", "--input", "none.npy")]
    [InlineData("bench")]
    [InlineData("simulate")]
    [InlineData("prune")]
    [InlineData("pack")]
    public async Task A_file_of_a_newer_version_is_refused_by_every_verb(string verb, params string[] rest)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync([verb, Case("6-packed-onnx-version/o99.onnx"), .. rest]);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Matches(
            $"o99.onnx' uses version 99 of {OperatorSet.Domain}, and versions 1 to {OperatorSet.Version} are supported\\. .*pack its "
            + $"source "
            + "again with this one", Assert.Single(outcome.ErrorLines));
    }

    [Theory]
    [InlineData("absent", "imports no operator set of ai.dovetail")]
    [InlineData("attribute", "has the attribute 'novelty', expected only pattern")]
    [InlineData("operator", "PackedMystery 'pw' is no operator of ai.dovetail 1")]
    public async Task What_a_packed_file_says_must_be_known(string kind, string says)
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = OnnxModel.Load(Case("8-simulate-packed-drops-depthwise/packed.onnx"));
        NodeProto node = model.FindNode("pw")!;
        if (kind == "absent")
            foreach (NodeProto other in model.Nodes.Where(each => each.Domain == OperatorSet.Domain))
                model.SetOpsetVersion(OperatorSet.Domain, 0);
        else if (kind == "attribute")
            node.With("novelty", 1);
        else
            node.OpType = "PackedMystery";
        model.Save(folder.File("model.onnx"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync("inspect", folder.File("model.onnx"));
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains(says, Assert.Single(outcome.ErrorLines));
    }

    [Theory]
    [InlineData("18-latency-missing-key/l1.json", "the key 'layers' is missing", "prune", "zoo:mlp", "--allocation", "energy", "--budget",
        "8%", "--cost", "latency", "--latency")]
    [InlineData("18-latency-missing-key/unknown.json", "the key 'foo' is not known", "simulate", "zoo:mlp", "--energy")]
    [InlineData("hostile-07-shapes/sh0.csv", "a size of 65536 stands there, expected at most 16384", "bench", "--shapes")]
    [InlineData("hostile-07-shapes/sh4.csv", "expected tensors of at most 268435456 numbers", "bench", "--shapes")]
    [InlineData("hostile-08-geometry/conv-padhuge.onnx", "Attribute 'pads' of Conv 'Conv_y' has the value 4611686018427387904", "simulate")]
    [InlineData("hostile-08-geometry/conv-padhuge.onnx", "Attribute 'pads' of Conv 'Conv_y' has the value 4611686018427387904", "prune",
        "--pattern", "1:8")]
    [InlineData("hostile-08-geometry/conv-padhuge.onnx", "Attribute 'pads' of Conv 'Conv_y' has the value 4611686018427387904", "pack",
        "--pattern", "1:8")]
    [InlineData("hostile-09-external/ext-nul.onnx", "has its data in a file without a name, or with a NUL in it", "inspect")]
    [InlineData("hostile-01-jpeg/six.jpg", "is not a whole PNG or JPEG image", "run", "PACKED", "--input")]
    [InlineData("hostile-02-bombs/bomb-dims.png", "is 32000 × 32000 pixels", "run", "PACKED", "--input")]
    [InlineData(
        "hostile-04-torch-abort/1x1", "images of 1x1 are float[N, 1, 1, 1]", "train", "--model", "zoo:mlp", "--epochs", "1", "--data")]
    public async Task A_hostile_file_is_one_message(string file, string says, params string[] command)
    {
        string[] arguments = [.. command.Select(word => word == "PACKED" ? Case("8-simulate-packed-drops-depthwise/packed.onnx") : word)];
        CliProcess.Outcome outcome = await CliProcess.RunAsync([.. arguments, Case(file)]);
        Assert.Equal(1, outcome.ExitCode);
        string line = outcome.ErrorLines[^1];
        Assert.Contains(says, line);
        Assert.DoesNotMatch("System\\.|Exception|a bug in Dovetail|\\bat Dovetail", line);
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("pack")]
    [InlineData("verify")]
    [InlineData("simulate")]
    [InlineData("simulate", "--topology")]
    [InlineData("bench", "--shapes")]
    [InlineData("expressiveness", "--weights")]
    public async Task A_device_is_not_read(string verb, params string[] rest)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync([verb, .. rest, "/dev/zero"]);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains("it is a device, a pipe or a socket, expected a file", outcome.ErrorLines[^1]);
    }

    private static JsonElement Named(JsonElement result, string list, string name) =>
        result.GetProperty(list).EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == name);

    private static async Task<JsonElement> JsonAsync(params string[] command)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync([.. command, "--json", "-"]);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        return json.RootElement.Clone();
    }
}
