using System.Text.Json.Nodes;
using Dovetail.Cli.Tests.Codesign;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Cli.Tests.Commands;

/// <summary>Bad input: one line that says what was found and what to do, exit code ≠ 0, nothing left behind.</summary>
public sealed class BadInputTests
{
    [Fact]
    public async Task A_missing_data_folder() =>
        await FailsAsync("nor a folder", "codesign", "--data", "no-such-folder", "--out", "out");

    [Fact]
    public async Task A_data_folder_without_the_files()
    {
        using var folder = new TemporaryFolder();
        await FailsAsync("train-images-idx3-ubyte", "codesign", "--data", folder.Path, "--out", folder.File("out"));
    }

    [Fact]
    public async Task A_corrupt_data_file()
    {
        using var folder = new TemporaryFolder();
        foreach (string name
            in (string[])["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
            await File.WriteAllTextAsync(folder.File(name), "this is no IDX file");
        await FailsAsync("train-images-idx3-ubyte", "codesign", "--data", folder.Path, "--out", folder.File("out"));
    }

    [Fact]
    public async Task A_model_that_does_not_exist() =>
        await FailsAsync("no-such-model.onnx", "codesign", "--model", "no-such-model.onnx", "--out", "out");

    [Fact]
    public async Task A_model_that_is_not_ONNX()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("model.onnx"), "<html>not found</html>");
        await FailsAsync("ONNX", "codesign", "--model", folder.File("model.onnx"), "--out", folder.File("out"));
    }

    [Fact]
    public async Task A_truncated_model()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = ZooModels.Create("fashion-cnn", 1).ToBytes();
        await File.WriteAllBytesAsync(folder.File("model.onnx"), whole[..(whole.Length / 2)]);
        await FailsAsync("model.onnx", "codesign", "--model", folder.File("model.onnx"), "--out", folder.File("out"));
    }

    [Fact]
    public async Task A_zoo_name_that_does_not_exist() =>
        await FailsAsync("fashion-cnn", "codesign", "--model", "zoo:fashion-cnm", "--out", "out");

    [Fact]
    public async Task An_unsupported_operator()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = ZooModels.Create("fashion-cnn", 1);
        NodeProto relu = model.Nodes.First(node => node.Is("Relu"));
        relu.OpType = "Hardmax";
        model.Save(folder.File("model.onnx"));
        string line = await FailsAsync("Hardmax", "codesign", "--model", folder.File("model.onnx"), "--out", folder.File("out"));
        Assert.Contains(relu.Name, line);
        Assert.Contains("Relu", line); // the message lists what is supported
    }

    [Fact]
    public async Task A_pattern_that_fits_no_layer()
    {
        string line = await FailsAsync("fits no layer", "codesign", "--pattern", "1:256", "--out", "out");
        Assert.Contains("channels", line);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public async Task A_weight_that_is_no_number_is_in_a_named_layer(float weight)
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = ZooModels.Create("mlp", 1);
        NodeProto layer = model.Nodes.Last(node => node.Is("Gemm") && node.Name != "head");
        TensorProto tensor = model.Graph.Initializers.Single(initializer => initializer.Name == layer.Input(1));
        float[] values = tensor.ToFloats();
        values[77] = weight;
        tensor.RawData = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray();
        model.Save(folder.File("model.onnx"));
        CliProcess.Outcome pruned = await CliProcess.RunAsync(
            "prune", folder.File("model.onnx"), "--permute", "--out", folder.File("sparse.onnx"), "--json", "-");
        Assert.True(pruned.ExitCode == 0, pruned.Error);
        string reason = JsonNode.Parse(pruned.Output)!["dense_layers"]!.AsArray()
            .Single(dense => dense!["name"]!.GetValue<string>() == layer.Name)!["reason"]!.GetValue<string>();
        Assert.Matches($"the weight at row \\d+, column \\d+ is {weight}, expected a finite number", reason);
    }

    [Fact]
    public async Task A_deep_network_that_no_pattern_fits_is_a_short_line()
    {
        using var folder = new TemporaryFolder();
        ZooModels.Create("resnet20", 1).Save(folder.File("model.onnx"));
        string line = await FailsAsync("fits no layer", "prune", folder.File("model.onnx"), "--pattern", "1:256");
        Assert.Contains("stem: 3 channels are fewer than the group", line);
        Assert.Matches("; and 16 more\\. Choose", line); // 22 weight layers, of which 6 are shown
        Assert.DoesNotContain("..", line);
    }

    [Fact]
    public async Task A_deep_network_that_cannot_be_packed_is_a_table_and_a_short_line()
    {
        using var folder = new TemporaryFolder();
        ZooModels.Create("resnet20", 1).Save(folder.File("model.onnx"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync("pack", folder.File("model.onnx"), "--pattern", "1:16");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Equal(
            "dovetail: No layer of 'resnet20' can be packed by 1:16. Where the weights do not satisfy it, train or prune the model "
            + "onto it, "
            + "or choose a smaller group.", Assert.Single(outcome.ErrorLines));
        Assert.Equal(22, outcome.Output.Split('\n').Count(row => row.Contains("│ dense ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_model_that_is_packed_already()
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome zoo = await CliProcess.RunAsync("zoo", "write", "mlp", folder.File("sparse.onnx"), "--pattern", "1:16");
        Assert.True(zoo.ExitCode == 0, zoo.Error);
        CliProcess.Outcome pack = await CliProcess.RunAsync(
            "pack", folder.File("sparse.onnx"), "--pattern", "1:16", "--pack", "all", "--out", folder.File("packed.onnx"));
        Assert.True(pack.ExitCode == 0, pack.Error);
        await FailsAsync("is packed already", "pack", folder.File("packed.onnx"), "--pattern", "1:16", "--pack", "all");
    }

    [Theory]
    [InlineData("dovetail zoo write mlp mlp.onnx --pattern 1:8, then give mlp.onnx", "pack", "zoo:mlp", "--pattern", "1:8")]
    [InlineData("dovetail zoo write mlp mlp.onnx, then", "run", "zoo:mlp")]
    [InlineData("dovetail zoo write mlp mlp.onnx, then", "inspect", "zoo:mlp")]
    [InlineData("dovetail zoo write mlp mlp.onnx, then", "verify", "zoo:mlp")]
    [InlineData("dovetail zoo write mlp mlp.onnx, then", "expressiveness", "--weights", "zoo:mlp")]
    public async Task A_network_of_the_zoo_where_a_file_is_read(string says, params string[] arguments) =>
        await FailsAsync(says, arguments);

    [Theory]
    [InlineData("prune")]
    [InlineData("pack")]
    public async Task An_output_that_is_the_source(string verb)
    {
        using var folder = new TemporaryFolder();
        ZooModels.Create("mlp", 1).Save(folder.File("model.onnx"));
        byte[] before = await File.ReadAllBytesAsync(folder.File("model.onnx"));
        await FailsAsync("would replace its source", verb, folder.File("model.onnx"), "--out", folder.File("model.onnx"));
        Assert.Equal(before, await File.ReadAllBytesAsync(folder.File("model.onnx")));
    }

    [Theory]
    [InlineData("Must be one of: 'fp32', 'fp16', 'bf16'. See 'dovetail pack --help'.", "pack", "model.onnx", "--values", "int8")]
    [InlineData("'zoo' takes a command, one of: list, write. See 'dovetail zoo --help'.", "zoo")]
    [InlineData("'zoo' has no command 'lst', expected one of: list, write. See", "zoo", "lst", "--json", "-")]
    [InlineData("has no command 'pak', expected one of: codesign, train, prune, quantize, pack,", "pak", "model.onnx")]
    [InlineData("--out is empty", "prune", "model.onnx", "--out", "")]
    [InlineData("An argument is empty", "inspect", "")]
    [InlineData("this machine runs", "pack", "model.onnx", "--threads", "99999")]
    [InlineData("--dtype belongs to --shapes", "bench", "model.onnx", "--dtype", "int8")]
    [InlineData("--callers belongs to --stream async", "bench", "model.onnx", "--callers", "3")]
    [InlineData("--against belongs to a model", "bench", "--shapes", "list.csv", "--against", "libtorch")]
    [InlineData("--stream belongs to a model", "bench", "--shapes", "list.csv", "--stream", "async", "--callers", "2")]
    [InlineData("--dim belongs to a model", "bench", "--shapes", "list.csv", "--dim", "T=1")]
    [InlineData("--dim is 'T', expected NAME=N", "bench", "model.onnx", "--dim", "T")]
    [InlineData("--dim is 'T=0', expected NAME=N with a size of 1 or more", "bench", "model.onnx", "--dim", "T=0")]
    [InlineData("--dim names T twice", "bench", "model.onnx", "--dim", "T=1", "--dim", "T=2")]
    [InlineData("--dim belongs to a model", "simulate", "--topology", "list.csv", "--dim", "T=1")]
    [InlineData("--calibrate has no effect with --pack all", "pack", "model.onnx", "--pack", "all", "--calibrate")]
    [InlineData("--batch has no effect with --pack all", "pack", "model.onnx", "--pack", "all", "--batch", "2")]
    [InlineData("--threads has no effect with --pack all", "pack", "model.onnx", "--pack", "all", "--threads", "2")]
    [InlineData("--pattern has no effect with --method dense", "train", "--method", "dense", "--pattern", "1:8")]
    [InlineData("--seed is the Gaussian matrix's", "expressiveness", "--weights", "model.onnx", "--seed", "2")]
    [InlineData("--data is a set of test images, and --input other files", "run", "model.onnx", "--input", "x.npy", "--data", "folder")]
    [InlineData("--data belongs to --check with --model", "rtl", "--check", "--data", "folder")]
    [InlineData("--model has no effect beside --pattern without --check", "rtl", "--model", "model.onnx", "--pattern", "1:8")]
    public async Task A_command_line_that_cannot_be_meant(string says, params string[] arguments) => await FailsAsync(says, arguments);

    [Fact]
    public async Task A_pattern_that_the_array_cannot_select_by() =>
        await FailsAsync("expected an input-axis pattern", "codesign", "--pattern", "1:8/out", "--out", "out");

    [Theory]
    [InlineData("17:16")]
    [InlineData("1:1024")]
    [InlineData("sixteen")]
    [InlineData("1:16@diagonal")]
    public async Task A_text_that_is_no_pattern(string text) =>
        await FailsAsync("keep:group", "codesign", "--pattern", text, "--out", "out");

    [Fact]
    public async Task An_output_folder_that_is_a_file()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("taken"), "mine");
        await FailsAsync("taken", "codesign", "--out", folder.File("taken"));
        Assert.Equal("mine", await File.ReadAllTextAsync(folder.File("taken")));
    }

    [Fact]
    public async Task An_output_folder_that_cannot_be_written()
    {
        // Nothing may be made below /proc, not even by root.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc to fail in.");
        await FailsAsync("/proc/dovetail", "codesign", "--out", "/proc/dovetail");
    }

    [Theory]
    [InlineData("--epochs", "-1")]
    [InlineData("--epochs", "many")]
    [InlineData("--seed", "x")]
    [InlineData("--rows", "0")]
    public async Task An_option_out_of_range(string option, string value) =>
        await FailsAsync(option, "codesign", option, value, "--out", "out");

    [Fact]
    public async Task Simulate_without_a_model_or_topology() => await FailsAsync("--topology", "simulate");

    [Fact]
    public async Task Simulate_with_a_damaged_topology()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("layers.csv"), "Layer,M,N,K,\nL0,196,192,\n");
        string line = await FailsAsync("layers.csv", "simulate", "--topology", folder.File("layers.csv"));
        Assert.Contains("2", line);
    }

    [Fact]
    public async Task Json_into_a_folder_that_does_not_exist()
    {
        using var folder = new TemporaryFolder();
        string target = Path.Combine(folder.Path, "no", "such", "result.json");
        await FailsAsync("result.json", "zoo", "list", "--json", target);
    }

    /// <summary>Said before it trains; the training is a short one, should it start after all.</summary>
    [Theory]
    [InlineData("it is a folder", "--out", ".")]
    [InlineData("it is a folder", "--out", "/")]
    [InlineData("there is no folder", "--csv", "no/such/runs.csv")]
    [InlineData("'file.txt' is another table: its first line is 'time,place', expected 'network,data,", "--csv", "file.txt")]
    [InlineData("file.txt", "--out", "file.txt/trained.onnx")]
    public async Task A_training_that_could_not_be_written(string expected, string option, string target)
    {
        using var folder = new TemporaryFolder();
        SmallImages.Write(folder.File("images"));
        await File.WriteAllTextAsync(folder.File("file.txt"), "time,place\n");
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["train", "--model", "zoo:mlp", "--method", "dense", "--epochs", "1", "--data", folder.File("images"), option, target], null,
            folder.Path);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
        Assert.DoesNotContain("%", outcome.Output); // no progress, no accuracy
        Assert.Equal(["file.txt", "images"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Resume_where_nothing_was_started()
    {
        using var folder = new TemporaryFolder();
        await FailsAsync("--resume", "codesign", "--resume", "--out", folder.File("out"));
    }

    /// <returns>The one line.</returns>
    private static async Task<string> FailsAsync(string expected, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome outcome = await CliProcess.RunAsync(arguments, null, folder.Path);
        Assert.NotEqual(0, outcome.ExitCode);
        string line = Assert.Single(outcome.ErrorLines);
        Assert.Contains(expected, line);
        Assert.DoesNotContain("   at ", outcome.Error); // no stack trace
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path, "*.tmp", SearchOption.AllDirectories));
        return line;
    }
}
