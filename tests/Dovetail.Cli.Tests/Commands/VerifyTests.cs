using System.Text.Json;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Cli.Tests.Commands;

public sealed class VerifyTests
{
    [Fact]
    public async Task Exit_code_0_for_packed_onnx_without_torch()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("packed.onnx"), loaded = folder.File("assemblies.txt");
        SparseModels.Packed("1:16").Save(path);
        CliProcess.Outcome outcome = await CliProcess.RunAsync(["verify", path, "--json", "-"], NoTorch.Environment(loaded));
        Assert.Equal(0, outcome.ExitCode);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Assert.True(json.RootElement.GetProperty("satisfied").GetBoolean());
        Assert.Equal("packed onnx", json.RootElement.GetProperty("format").GetString());
        Assert.Equal("1:16", json.RootElement.GetProperty("pattern").GetString());
        Assert.Contains(
            json.RootElement.GetProperty("layers").EnumerateArray(), layer => layer.GetProperty("status").GetString() == "satisfied");
        NoTorch.Check(loaded);
    }

    [Fact]
    public async Task Exit_code_1_names_layer_cell_row_and_column_of_a_broken_mask()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SparseModels.Sparse("1:16");
        WeightLayer layer = WeightLayers.FindFitting(model, new ComplementaryPattern(1, 16))[0];
        float[] weights = layer.GetWeights();
        const int Row = 3, Cell = 1; // of the row: columns 16 to 31
        int start = Row * layer.Shape.Inputs + Cell * 16;
        weights.AsSpan(start, 16).Clear();
        (weights[start + 2], weights[start + 9]) = (1, 1);
        layer.SetWeights(weights);
        model.Save(folder.File("sparse.onnx"));

        CliProcess.Outcome outcome = await CliProcess.RunAsync("verify", folder.File("sparse.onnx"), "--pattern", "1:16", "--json", "-");
        Assert.Equal(1, outcome.ExitCode);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        JsonElement first = json.RootElement.GetProperty("first_violation");
        Assert.Equal(layer.Name, first.GetProperty("layer").GetString());
        Assert.Equal(Row * (layer.Shape.Inputs / 16) + Cell, first.GetProperty("cell").GetInt32());
        Assert.Equal(Row, first.GetProperty("row").GetInt32());
        Assert.Equal(Cell * 16 + 9, first.GetProperty("column").GetInt32());
        Assert.Contains(layer.Name, outcome.Error); // the words for people
    }

    [Theory]
    [InlineData("no such file")]
    [InlineData("garbage")]
    [InlineData("half an ONNX file")]
    [InlineData("half a safetensors file")]
    [InlineData("no declared pattern")]
    public async Task Exit_code_2_where_the_file_cannot_be_read(string what)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(what.Contains("safetensors") ? "model.safetensors" : "model.onnx");
        if (what == "garbage")
            await File.WriteAllTextAsync(path, "<html>not found</html>");
        else if (what == "half an ONNX file")
            await File.WriteAllBytesAsync(path, Half(SparseModels.Packed("1:16").ToBytes()));
        else if (what == "half a safetensors file")
        {
            SafetensorsExport.Write(SparseModels.Packed("1:16"), path);
            await File.WriteAllBytesAsync(path, Half(await File.ReadAllBytesAsync(path)));
        }
        else if (what == "no declared pattern")
            SparseModels.Sparse("1:16").Save(path);

        CliProcess.Outcome outcome = await CliProcess.RunAsync("verify", path, "--json", folder.File("verdict.json"));
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("dovetail: ", Assert.Single(outcome.ErrorLines));
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("verdict.json")));
        Assert.False(json.RootElement.GetProperty("readable").GetBoolean());
    }

    private static byte[] Half(byte[] bytes) => bytes[..(bytes.Length / 2)];
}
