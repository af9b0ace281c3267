using System.Text.Json;
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
            Data.Tensors.NpyFile.Write(
                folder.File($"inputs/{i}.npy"),
                new Data.Tensors.FileTensor(Enumerable.Range(0, 784).Select(_ => random.NextSingle()).ToArray(), [1, 1, 28, 28]));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "quantize", Case("21-codesign-int8-depthwise/dw.onnx"), "--data", folder.File("inputs"), "--out", folder.File("int8.onnx"),
            "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Assert.Equal(6, json.RootElement.GetProperty("layers").GetInt32());
        Assert.Equal(3, json.RootElement.GetProperty("inputs").GetInt32());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("accuracy").ValueKind);
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
