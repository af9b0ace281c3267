using System.Text.Json;

namespace Dovetail.Cli.Tests.Commands;

/// <summary><c>dovetail bench</c> as a user calls it: what it writes belongs together; no time is asserted.</summary>
public sealed class BenchTests
{
    [Theory]
    [InlineData("fp32")]
    [InlineData("int8")]
    public async Task Shapes_JSON_has_its_names_and_figures_belong_together(string type)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(
            folder.File("list.csv"),
            "name,op,m,n,k,h,w,kernel,stride,count\nc,conv,32,9,288,6,6,3,2,3\nf,gemm,40,1,64,,,,,1\nfirst,conv,32,16,27,4,4,3,1,1\n");
        JsonElement json = await JsonAsync(
            "bench", "--shapes", folder.File("list.csv"), "--pattern", "1:16", "--pattern", "2:32", "--dtype", type, "-t", "0.01", "--json",
            "-");
        Assert.True(json.GetProperty("peak").GetProperty("gflops").GetDouble() > 0);
        JsonElement[] layers = [.. json.GetProperty("layers").EnumerateArray()];
        Assert.Equal(
            ["c 1:16", "c 2:32", "f 1:16", "f 2:32"],
            layers.Select(layer => $"{layer.GetProperty("name")} {layer.GetProperty("pattern")}"));
        Assert.Equal(
            ["first 1:16", "first 2:32"], json.GetProperty("stay_dense").EnumerateArray()
            .Select(layer => $"{layer.GetProperty("name")} {layer.GetProperty("pattern")}"));
        foreach (JsonElement layer in layers)
        {
            double packed = Number(layer, "packed_us");
            Assert.Equal(Number(layer, "dense_us") / packed, Number(layer, "ratio"), 1e-9);
            Assert.Equal(Number(layer, "dense_int8_us") / packed, Number(layer, "ratio_int8"), 1e-9);
            Assert.Equal(
                2e-3 * Number(layer, "m") * Number(layer, "n") * Number(layer, "k") / packed, Number(layer, "effective_gflops"), 1e-9);
            Assert.Equal(Number(layer, "effective_gflops") / 16, Number(layer, "useful_gflops"), 1e-9);
            Assert.Contains(type == "int8" ? "-u8s8-" : "-f32-", layer.GetProperty("kernel").GetString());
            Assert.NotEqual("", layer.GetProperty("dense_op").GetString());
        }

        JsonElement all = json.GetProperty("geometric_means").EnumerateArray()
            .First(mean => mean.GetProperty("pattern").GetString() == "2:32" && mean.GetProperty("group").GetString() == "all");
        Assert.Equal(Math.Sqrt(Number(layers[1], "ratio") * Number(layers[3], "ratio")), Number(all, "ratio"), 1e-9);
        Assert.Equal(
            (3 * Number(layers[1], "dense_us") + Number(layers[3], "dense_us")) / (
                3 * Number(layers[1], "packed_us") + Number(layers[3], "packed_us")),
            Number(all, "total_ratio"), 1e-9);
    }

    [Fact]
    public async Task Int8_is_a_share_of_the_fp32_peak_and_the_table_says_so()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("list.csv"), "name,op,m,n,k,h,w,kernel,stride\nf,gemm,40,1,64,,,,\n");
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "bench", "--shapes", folder.File("list.csv"), "--dtype", "int8", "-t", "0.01", "--json", folder.File("b.json"));
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains(" of fp32 peak ", outcome.Output);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("b.json")));
        JsonElement peak = json.RootElement.GetProperty("peak"), layer = json.RootElement.GetProperty("layers")[0];
        Assert.Equal("fp32", peak.GetProperty("dtype").GetString());
        Assert.Equal(Number(layer, "useful_gflops") / Number(peak, "gflops"), Number(layer, "share_of_peak"), 1e-9);
    }

    [Theory]
    [InlineData("onnxruntime", "sync", 3)]
    [InlineData("onnxruntime", "async", 3)]
    [InlineData("libtorch", "sync", 3)]
    public async Task A_dense_model_is_packed_on_the_fly(string against, string stream, int subjects)
    {
        JsonElement json = await JsonAsync(
            "bench", "zoo:mlp", "--pattern", "1:8", "--against", against, "--stream", stream, "-b", "2", "--json", "-");
        JsonElement network = json.GetProperty("network");
        Assert.Equal(Number(network, "dense_ms") / Number(network, "packed_ms"), Number(network, "ratio"), 1e-9);
        Assert.Equal(Number(network, "dense_int8_ms") / Number(network, "packed_ms"), Number(network, "ratio_int8"), 1e-9);
        Assert.Equal(subjects, json.GetProperty("subjects").GetArrayLength());
        Assert.Equal(stream == "async", json.GetProperty("callers").GetInt32() > 1);
        foreach (JsonElement subject in json.GetProperty("subjects").EnumerateArray())
        {
            double[] percentiles = [.. ((string[])["p10_ms", "p50_ms", "p90_ms", "p99_ms"]).Select(name => Number(subject, name))];
            Assert.Equal(percentiles.Order(), percentiles);
            Assert.True(percentiles[0] > 0 && Number(subject, "load_ms") > 0 && Number(subject, "inputs_per_second") > 0);
        }

        Assert.Equal(3, json.GetProperty("layers").GetArrayLength());
        foreach (JsonElement layer in json.GetProperty("layers").EnumerateArray())
        {
            Assert.Equal(Number(layer, "dense_p10_us") / Number(layer, "packed_p10_us"), Number(layer, "ratio_p10"), 1e-9);
            Assert.True(
                Number(layer, "dense_p10_us") <= Number(layer, "dense_us") && Number(layer, "packed_p10_us") <= Number(layer, "packed_us"));
        }
    }

    /// <summary>A dimension that the model leaves open gets its size, and the layers are those of that size.</summary>
    [Fact]
    public async Task Free_tokens_are_given_a_number()
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome zoo = await CliProcess.RunAsync("zoo", "write", "gpt2-small", folder.File("gpt.onnx"), "--depth", "1");
        Assert.True(zoo.ExitCode == 0, zoo.Error);
        string[] bench = ["bench", folder.File("gpt.onnx"), "--pattern", "1:16"];
        CliProcess.Outcome open = await CliProcess.RunAsync(bench), batch = await CliProcess.RunAsync([.. bench, "--dim", "N=2"]);
        Assert.Contains("leaves T of its inputs open; say the size, e.g. --dim T=128.", Assert.Single(open.ErrorLines));
        Assert.Contains("this is the first dimension of an input", Assert.Single(batch.ErrorLines));
        JsonElement json = await JsonAsync([.. bench, "--dim", "T=3", "--json", "-"]);
        Assert.Equal([3], json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("n").GetInt32()).Distinct());
        Assert.Equal(4, json.GetProperty("layers").GetArrayLength()); // qkv, projection, and two of the MLP
        Assert.Equal("T 3", string.Join(' ', json.GetProperty("dimensions")[0].EnumerateObject().Select(property => property.Value)));
    }

    [Fact]
    public async Task Simulate_takes_the_number_of_tokens_too()
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome zoo = await CliProcess.RunAsync("zoo", "write", "gpt2-small", folder.File("gpt.onnx"), "--depth", "1");
        Assert.True(zoo.ExitCode == 0, zoo.Error);
        CliProcess.Outcome open = await CliProcess.RunAsync("simulate", folder.File("gpt.onnx"));
        Assert.Contains("leaves T of its inputs open; say the size, e.g. --dim T=128.", Assert.Single(open.ErrorLines));
        JsonElement json = await JsonAsync("simulate", folder.File("gpt.onnx"), "--dim", "T=5", "--json", "-");
        Assert.Equal([5], json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("m").GetInt32()).Distinct());
    }

    [Theory]
    [InlineData(new[] { "bench" }, "Expected either a model or --shapes")]
    [InlineData(new[] { "bench", "zoo:mlp" }, "no packed layers; expected a model that 'dovetail pack' wrote. Give --pattern")]
    [InlineData(new[] { "bench", "zoo:mlp", "--pattern", "1:8", "--pattern", "1:4" }, "2 patterns were given for one model")]
    [InlineData(new[] { "bench", "zoo:mlp", "--pattern", "1:8", "--against", "libtorch", "--stream", "async" }, "is not supported")]
    [InlineData(new[] { "bench", "zoo:mlp", "--pattern", "1:8", "--against", "absent.onnx" }, "absent.onnx")]
    [InlineData(new[] { "bench", "--shapes", "absent.csv" }, "There is no list of layers at 'absent.csv'")]
    [InlineData(new[] { "bench", "zoo:mlp", "--pattern", "1:8", "-t", "0" }, "--seconds is 0")]
    public async Task Errors_are_one_clear_line(string[] arguments, string says)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync(arguments);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains(says, Assert.Single(outcome.ErrorLines));
    }

    private static double Number(JsonElement element, string name) => element.GetProperty(name).GetDouble();

    private static async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync(arguments);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return JsonDocument.Parse(outcome.Output).RootElement;
    }
}
