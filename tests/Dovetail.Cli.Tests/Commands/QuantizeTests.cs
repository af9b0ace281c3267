using System.Text.Json;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Tests.Commands;

/// <summary><c>dovetail quantize</c>, as a user runs it.</summary>
public sealed class QuantizeTests
{
    private static string Case(string name) => Path.Combine(Repository.Root, "tests", "Cases", name);

    [Theory]
    [InlineData("--method", "minmax")]
    [InlineData("--method", "percentile", "--percentile", "99.9")]
    [InlineData("--method", "entropy")]
    [InlineData("--per-tensor")]
    [InlineData("--reduce-range")]
    public async Task An_int8_model_keeps_zeros_and_computes_nearly_the_same(params string[] options)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, (await CliProcess.RunAsync("zoo", "write", "mlp", folder.File("sparse.onnx"), "--pattern", "1:16")).ExitCode);
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
        [
            "quantize", folder.File("sparse.onnx"), "--out", folder.File("int8.onnx"), "--images", "64", "--json", "-", .. options,
        ]);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Assert.Equal((3, 0, 64), (Number("layers"), Number("float_layers"), Number("inputs")));
        Assert.InRange(json.RootElement.GetProperty("signal_to_noise_db").GetDouble(), 20, 80);
        Assert.InRange(json.RootElement.GetProperty("agreement").GetDouble(), 0.8, 1);
        double fp32 = json.RootElement.GetProperty("accuracy").GetProperty("fp32").GetDouble();
        Assert.Equal(fp32, json.RootElement.GetProperty("accuracy").GetProperty("int8").GetDouble(), 0.05);

        IReadOnlyList<WeightLayer> sparse = WeightLayers.Find(OnnxModel.Load(folder.File("sparse.onnx"))),
            quantized = WeightLayers.Find(OnnxModel.Load(folder.File("int8.onnx")));
        foreach ((WeightLayer before, WeightLayer after) in sparse.Zip(quantized))
            Assert.All(before.GetNonZeros().Zip(after.GetNonZeros()), pair => Assert.True(pair.First || !pair.Second));
        CliProcess.Outcome packed = await CliProcess.RunAsync(
            "pack", folder.File("int8.onnx"), "--pattern", "1:16", "--pack", "all", "--out", folder.File("packed.onnx"));
        Assert.True(packed.ExitCode == 0, packed.Error);

        int Number(string name) => json.RootElement.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Inputs_may_be_a_folder_of_files()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("inputs"));
        var random = new Random(1);
        foreach (int i in Enumerable.Range(0, 3))
            NpyFile.Write(
                folder.File($"inputs/{i}.npy"),
                new FileTensor(Enumerable.Range(0, 784).Select(_ => random.NextSingle()).ToArray(), [1, 1, 28, 28]));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "quantize", Case("21-codesign-int8-depthwise/dw.onnx"), "--data", folder.File("inputs"), "--out", folder.File("int8.onnx"),
            "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Assert.Equal(6, json.RootElement.GetProperty("layers").GetInt32());
        Assert.Equal(3, json.RootElement.GetProperty("inputs").GetInt32());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("accuracy").ValueKind);
    }

    [Fact]
    public async Task An_old_model_with_several_inputs_takes_a_folder_for_each()
    {
        using var folder = new TemporaryFolder();
        OldModelWithTwoInputs().Save(folder.File("old.onnx"));
        Directory.CreateDirectory(folder.File("inputs/x"));
        var random = new Random(1);
        foreach (int i in Enumerable.Range(0, 3))
            NpyFile.Write(
                folder.File($"inputs/x/{i}.npy"),
                new FileTensor(Enumerable.Range(0, 64).Select(_ => random.NextSingle()).ToArray(), [2, 32]));
        CliProcess.Outcome missing = await CliProcess.RunAsync(
            "quantize", folder.File("old.onnx"), "--data", folder.File("inputs"), "--out", folder.File("int8.onnx"));
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains("has nothing for 'choice'", Assert.Single(missing.ErrorLines), StringComparison.Ordinal);

        NpyFile.Write(folder.File("inputs/choice.npy"), new FileTensor(new long[] { 1, 0 }, [2]));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "quantize", folder.File("old.onnx"), "--data", folder.File("inputs"), "--out", folder.File("int8.onnx"), "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Assert.Equal((1, 3), (Number("layers"), Number("inputs")));
        Assert.InRange(json.RootElement.GetProperty("signal_to_noise_db").GetDouble(), 25, 80);
        Assert.Equal(13, OnnxModel.Load(folder.File("int8.onnx")).OpsetVersion());

        int Number(string name) => json.RootElement.GetProperty(name).GetInt32();
    }

    /// <summary>Of operator set 9: rows of a product, clipped, in the order that an int64 input says.</summary>
    private static OnnxModel OldModelWithTwoInputs()
    {
        var random = new Random(3);
        var graph = new GraphProto { Name = "old" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, ["rows", 32]));
        graph.Inputs.Add(ValueInfoProto.Tensor("choice", OnnxType.Int64, [2]));
        graph.Initializers.Add(TensorData.Create<float>(
            "w", [32, 16], [.. Enumerable.Range(0, 512).Select(_ => random.NextSingle() - 0.5f)]));
        graph.Initializers.Add(TensorData.Create<float>("b", [16], [.. Enumerable.Range(0, 16).Select(_ => random.NextSingle())]));
        graph.Nodes.AddRange(
        [
            new NodeProto("Gemm", "layer", ["x", "w", "b"], ["product"]),
            new NodeProto("Clip", "clip", ["product"], ["clipped"]).With("min", -1f).With("max", 1f),
            new NodeProto("Gather", "order", ["clipped", "choice"], ["y"]),
        ]);
        graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, [2, 16]));
        return new OnnxModel(new ModelProto { IrVersion = 4, Graph = graph, OpsetImports = { new OperatorSetIdProto { Version = 9 } } });
    }

    [Theory]
    [InlineData("21-codesign-int8-depthwise/packed_int8.onnx", "is packed already")]
    [InlineData("19-slice-opset9-attributes/m_slice9.onnx", "Give a folder of inputs that fit")]
    [InlineData("20-nan-weight/nan.onnx", "is NaN, expected a finite number")]
    public async Task What_cannot_be_quantized_is_one_message(string file, string says)
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome outcome = await CliProcess.RunAsync("quantize", Case(file), "--out", folder.File("int8.onnx"));
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains(says, Assert.Single(outcome.ErrorLines));
        Assert.False(File.Exists(folder.File("int8.onnx")));
    }
}
