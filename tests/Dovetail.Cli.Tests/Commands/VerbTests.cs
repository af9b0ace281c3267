using System.Text.Json;
using System.Text.RegularExpressions;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Cli.Tests.Commands;

/// <summary>The verbs one by one: what they print, what their JSON is called, what they load.</summary>
public sealed class VerbTests
{
    [Fact]
    public async Task Help_lists_the_verbs_and_every_verb_has_help()
    {
        CliProcess.Outcome help = await CliProcess.RunAsync("--help");
        Assert.Equal(0, help.ExitCode);
        foreach (string verb in CommandLine.Root().Subcommands.Where(command => !command.Hidden).Select(command => command.Name))
        {
            Assert.Contains($"  {verb} ", help.Output);
            CliProcess.Outcome verbHelp = await CliProcess.RunAsync(verb, "--help");
            Assert.Equal(0, verbHelp.ExitCode);
            Assert.Contains("Usage:", verbHelp.Output);
        }
    }

    /// <summary>What a user replaces is in capitals; what he types as it stands is one of several, with bars between them.</summary>
    [Theory]
    [InlineData("codesign")]
    [InlineData("train")]
    [InlineData("prune")]
    [InlineData("pack")]
    [InlineData("run")]
    [InlineData("bench")]
    [InlineData("simulate")]
    [InlineData("rtl")]
    [InlineData("data get")]
    [InlineData("zoo write")]
    [InlineData("expressiveness")]
    [InlineData("inspect")]
    [InlineData("verify")]
    [InlineData("doctor")]
    public void Placeholders_have_one_style_and_outputs_one_name(string verb)
    {
        System.CommandLine.Command command = CommandLine.Root();
        foreach (string name in verb.Split(' '))
            command = command.Subcommands.Single(sub => sub.Name == name);
        using var text = new StringWriter();
        Assert.Equal(0, CommandLine.Root().Parse([.. verb.Split(' '), "--help"]).Invoke(new System.CommandLine.InvocationConfiguration
        {
            Output = text,
        }));
        string[] placeholders = [.. Regex.Matches(text.ToString(), "<(?<name>[^>]+)>").Select(match => match.Groups["name"].Value)];
        Assert.All(placeholders, name =>
            Assert.True(name.Contains('|') || name == "fashion-mnist" || Regex.IsMatch(name, @"^[^a-z]+(\.(onnx|csv))?$"), name));
        foreach (System.CommandLine.Option option in command.Options.Where(option => option.Name is "--out" or "--output"))
            Assert.Contains("-o", option.Aliases);
    }

    [Fact]
    public async Task The_zoo_writes_to_either_form_of_a_file()
    {
        using var folder = new TemporaryFolder();
        foreach (string[] file in (string[][])[[folder.File("a.onnx")], ["--out", folder.File("b.onnx")], ["-o", folder.File("c.onnx")]])
        {
            CliProcess.Outcome outcome = await CliProcess.RunAsync(["zoo", "write", "mlp", .. file]);
            Assert.True(outcome.ExitCode == 0, outcome.Error);
        }

        byte[] first = await File.ReadAllBytesAsync(folder.File("a.onnx"));
        Assert.Equal(first, await File.ReadAllBytesAsync(folder.File("b.onnx")));
        Assert.Equal(first, await File.ReadAllBytesAsync(folder.File("c.onnx")));
        foreach (string[] file in (string[][])[[], [folder.File("d.onnx"), "-o", folder.File("d.onnx")]])
        {
            CliProcess.Outcome outcome = await CliProcess.RunAsync(["zoo", "write", "mlp", .. file]);
            Assert.Equal(CommandLine.Usage, outcome.ExitCode);
            Assert.Contains("Expected one file to write", Assert.Single(outcome.ErrorLines));
        }
    }

    [Fact]
    public async Task Nothing_at_all_shows_the_help()
    {
        CliProcess.Outcome bare = await CliProcess.RunAsync();
        Assert.Equal((0, (await CliProcess.RunAsync("--help")).Output), (bare.ExitCode, bare.Output));
    }

    [Fact]
    public void The_commands_of_the_README_are_understood()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string[] commands = [.. Regex.Matches(readme, @"^\./dovetail (?<line>[^#\n]+)", RegexOptions.Multiline)
            .Select(match => match.Groups["line"].Value.Trim())];
        Assert.True(commands.Length >= 8, "The README shows the verbs.");
        foreach (string command in commands)
            Assert.Empty(CommandLine.Root().Parse(command.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Errors);
    }

    /// <summary>One thread pool of libtorch and 450 MB are no price for a simulation.</summary>
    [Theory]
    [InlineData("simulate")]
    [InlineData("pack")]
    [InlineData("bench")]
    [InlineData("run")]
    [InlineData("rtl")]
    [InlineData("zoo")]
    [InlineData("data")]
    public async Task Verbs_that_need_no_training_never_load_Torch(string verb)
    {
        using var folder = new TemporaryFolder();
        (string sparse, string packed) = Models(folder);
        string[] arguments = verb switch
        {
            "simulate" => ["simulate", packed],
            "pack" => ["pack", sparse, "--pattern", "1:16", "--pack", "all", "--out", folder.File("again.onnx"), "--safetensors",
                folder.File("again.safetensors")],
            "bench" => ["bench", packed, "--against", sparse],
            "run" => ["run", packed],
            "rtl" => ["rtl", "--out", folder.File("rtl")],
            "zoo" => ["zoo", "list"],
            _ => ["data", "list"],
        };
        string loaded = folder.File("assemblies.txt");
        CliProcess.Outcome outcome = await CliProcess.RunAsync(arguments, new Dictionary<string, string?>
        {
            ["DOTNET_STARTUP_HOOKS"] = typeof(VerbTests).Assembly.Location,
            [StartupHook.TargetVariable] = loaded,
        });
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        string[] assemblies = await File.ReadAllLinesAsync(loaded);
        Assert.Contains("dovetail", assemblies);
        Assert.DoesNotContain("TorchSharp", assemblies);
    }

    [Fact]
    public async Task Prune_then_pack_keeps_the_greatest_weight_of_every_cell()
    {
        using var folder = new TemporaryFolder();
        JsonElement pruned = await JsonAsync("prune", "zoo:mlp", "--pattern", "1:8", "--out", folder.File("sparse.onnx"), "--json", "-");
        Assert.Equal(2, pruned.GetProperty("layers").GetArrayLength()); // the head stays dense
        OnnxModel before = ZooModels.Create("mlp", 1), after = OnnxModel.Load(folder.File("sparse.onnx"));
        foreach ((WeightLayer a, WeightLayer b) in WeightLayers.Find(before).Zip(WeightLayers.Find(after)).SkipLast(1))
        {
            float[] dense = a.GetWeights(), sparse = b.GetWeights();
            for (int cell = 0; cell < dense.Length; cell += 8) // inputs are a multiple of 8: cells are runs of the row
            {
                float greatest = dense.Skip(cell).Take(8).MaxBy(MathF.Abs);
                Assert.Equal(greatest, Assert.Single(sparse.Skip(cell).Take(8), weight => weight != 0));
            }
        }

        JsonElement packed = await JsonAsync(
            "pack", folder.File("sparse.onnx"), "--pattern", "1:8", "--pack", "all", "--out", folder.File("packed.onnx"), "--json", "-");
        Assert.Equal(2, packed.GetProperty("layers").EnumerateArray().Count(layer => layer.GetProperty("pattern").GetString() == "1:8"));
    }

    [Fact]
    public async Task Bench_JSON_has_its_names()
    {
        using var folder = new TemporaryFolder();
        (string sparse, string packed) = Models(folder);
        JsonElement json = await JsonAsync("bench", packed, "--against", sparse, "--json", "-");
        Assert.Equal(1, json.GetProperty("threads").GetInt32());
        Assert.NotEqual("", json.GetProperty("cpu").GetString());
        JsonElement network = json.GetProperty("network");
        Assert.Equal(
            network.GetProperty("dense_ms").GetDouble() / network.GetProperty("packed_ms").GetDouble(), network.GetProperty("ratio")
                .GetDouble(), 6);
        JsonElement layer = json.GetProperty("layers").EnumerateArray().First();
        foreach (string name
            in (string[])["name", "op", "m", "n", "k", "pattern", "dtype", "dense_us", "packed_us", "ratio", "useful_gflops"])
            Assert.True(layer.TryGetProperty(name, out _), name);
        Assert.Equal("float32", layer.GetProperty("dtype").GetString());
    }

    [Fact]
    public async Task Simulate_takes_a_network_of_the_zoo_like_its_file()
    {
        using var folder = new TemporaryFolder();
        ZooModels.Create("mlp", 1).Save(folder.File("m.onnx"));
        JsonElement zoo = await JsonAsync("simulate", "zoo:mlp", "--json", "-"),
            file = await JsonAsync("simulate", folder.File("m.onnx"), "--json", "-");
        Assert.Equal(file.ToString(), zoo.ToString());
    }

    [Theory]
    [InlineData("ws", "closed")]
    [InlineData("ws", "cycle")]
    [InlineData("os", "closed")]
    [InlineData("is", "closed")]
    public async Task Simulate_a_topology(string dataflow, string mode)
    {
        // SCALE-Sim's closed forms for one product of M = 40, N = 20, K = 30 on 8×8 (docs/accelerator.md).
        const int M = 40, N = 20, K = 30, R = 8, C = 8;
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("one.csv"), $"Layer,M,N,K,\nonly,{M},{N},{K},\n");
        JsonElement json = await JsonAsync(
            "simulate", "--topology", folder.File("one.csv"), "--rows", $"{R}", "--cols", $"{C}", "--dataflow", dataflow, "--mode", mode,
            "--json", "-");
        static int Ceil(int a, int b) => (a + b - 1) / b;
        long cycles = dataflow switch
        {
            "ws" => (long)Ceil(K, R) * Ceil(N, C) * (2 * R + C + M - 2) - 1,
            "os" => (long)Ceil(M, R) * Ceil(N, C) * (R + C + K - 2) - 1,
            _ => (long)Ceil(K, R) * Ceil(M, C) * (2 * R + C + N - 2) - 1,
        };
        Assert.Equal(cycles, json.GetProperty("total_cycles").GetInt64());
        JsonElement layer = Assert.Single(json.GetProperty("layers").EnumerateArray());
        Assert.Equal("only", layer.GetProperty("name").GetString());
        Assert.Equal((M, N, K), (layer.GetProperty("m").GetInt32(), layer.GetProperty("n").GetInt32(), layer.GetProperty("k").GetInt32()));
        Assert.Equal(cycles, layer.GetProperty("cycles").GetInt64());
        Assert.InRange(layer.GetProperty("utilization").GetDouble(), 0, 1);
        Assert.Equal(dataflow == "is" ? M * K : M * K * Ceil(N, C), layer.GetProperty("sram_reads").GetProperty("ifmap").GetInt64());
        Assert.True(layer.GetProperty("sram_reads").GetProperty("filter").GetInt64() >= N * K);
        Assert.True(layer.GetProperty("sram_writes").GetProperty("ofmap").GetInt64() >= M * N);
        foreach (string name in (string[])["ifmap", "filter", "ofmap"])
            Assert.True(layer.GetProperty("dram_bytes").GetProperty(name).GetInt64() > 0, name);
        Assert.True(layer.GetProperty("energy_picojoules").GetDouble() > 0);
    }

    /// <summary>An array that selects says what it takes weights to be that no file says are sparse.</summary>
    [Theory]
    [InlineData("zoo:mlp", "1:16", "No weights satisfy a pattern of this array: all count as 1:1, and 1:16 gains nothing on them.")]
    [InlineData("packed.onnx", null, "Dense, counted as 1:1: 1 of 6 layers.")]
    [InlineData("one.csv", "1:16", "Shapes alone: layers count as if their weights had 1:16, those of fewer channels")]
    [InlineData("zoo:mlp", null, null)]
    [InlineData("one.csv", null, null)]
    public async Task Simulate_says_what_it_assumes_of_dense_weights(string source, string? pattern, string? says)
    {
        using var folder = new TemporaryFolder();
        Models(folder);
        await File.WriteAllTextAsync(folder.File("one.csv"), "Layer,M,N,K,\nonly,40,20,32,\n");
        string[] what = source == "one.csv" ? ["--topology", source] : [source], by = pattern is null ? [] : ["--pattern", pattern];
        CliProcess.Outcome outcome = await CliProcess.RunAsync(["simulate", .. what, .. by, "--json", "s.json"], null, folder.Path);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("s.json")));
        string? assumption = json.RootElement.GetProperty("assumption").GetString();
        if (says is null)
            Assert.Null(assumption);
        else
            Assert.StartsWith(says, assumption, StringComparison.Ordinal);
        Assert.Contains(says ?? "", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rtl_is_emitted_checked_and_synthesised()
    {
        using var folder = new TemporaryFolder();
        JsonElement json = await JsonAsync(
            "rtl", "--pattern", "1:4", "--rows", "2", "--cols", "4", "--out", folder.File("rtl"), "--check", "--synth", "--json", "-");
        Assert.Equal("equal", json.GetProperty("check").GetProperty("status").GetString());
        double gain = json.GetProperty("throughput_per_area_gain").GetDouble();
        JsonElement area = json.GetProperty("area"), path = json.GetProperty("critical_path_ns");
        Assert.Equal(4 * area.GetProperty("dense").GetDouble() / area.GetProperty("complementary").GetDouble(), gain, 6);
        Assert.InRange(gain, 1, 4);
        Assert.True(path.GetProperty("dense").GetDouble() > 0 && path.GetProperty("complementary").GetDouble() > 0);
        Assert.NotEmpty(Directory.EnumerateFiles(folder.File("rtl"), "*.sv"));
    }

    [Fact]
    public async Task Doctor_finds_everything_that_the_tests_need()
    {
        JsonElement json = await JsonAsync("doctor", "--json", "-");
        Dictionary<string, string> status = json.GetProperty("findings").EnumerateArray()
            .ToDictionary(finding => finding.GetProperty("subject").GetString()!, finding => finding.GetProperty("status").GetString()!);
        foreach (string subject in (string[])["ONNX Runtime", "libtorch", "Verilator", "Yosys", "Cell library (OSU 0.18 µm)"])
            Assert.Equal("good", status[subject]);
        Assert.DoesNotContain("broken", status.Values);
    }

    private static async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync(arguments);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return JsonDocument.Parse(outcome.Output).RootElement; // fails where anything else was printed
    }

    /// <summary>fashion-cnn with random weights, projected onto 1:16, sparse and packed.</summary>
    private static (string Sparse, string Packed) Models(TemporaryFolder folder)
    {
        var pattern = new ComplementaryPattern(1, 16);
        OnnxModel model = ZooModels.Create("fashion-cnn", seed: 3).ProjectOnto(pattern);
        (string sparse, string packed) = (folder.File("sparse.onnx"), folder.File("packed.onnx"));
        model.Save(sparse);
        Dovetail.Onnx.Passes.Pack.PackingPass.Pack(model, pattern).Model.Save(packed);
        return (sparse, packed);
    }
}
