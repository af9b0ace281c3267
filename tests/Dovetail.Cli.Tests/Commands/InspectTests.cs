using System.Text.Json;
using Dovetail.Cli.Commands;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Spectre.Console;

namespace Dovetail.Cli.Tests.Commands;

public sealed class InspectTests
{
    [Fact]
    public async Task Json_and_pictures_of_a_sparse_model_without_torch()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SparseModels.Sparse("1:16");
        WeightLayer layer = WeightLayers.FindFitting(model, new ComplementaryPattern(1, 16))[0];
        string path = folder.File("sparse.onnx"), loaded = folder.File("assemblies.txt"), svg = folder.File("mask.svg"),
            png = folder.File("mask.png");
        model.Save(path);
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["inspect", path, "--mask", layer.Name, "--svg", svg, "--png", png, "--json", "-"], NoTorch.Environment(loaded));
        Assert.Equal(0, outcome.ExitCode);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Assert.Equal("onnx", json.RootElement.GetProperty("format").GetString());
        JsonElement found = json.RootElement.GetProperty("layers").EnumerateArray()
            .First(entry => entry.GetProperty("name").GetString() == layer.Name);
        Assert.Equal(layer.Shape.Dimensions, found.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()));
        Assert.Equal("1:16", found.GetProperty("pattern").GetString());
        Assert.Equal("detected", found.GetProperty("pattern_source").GetString());
        Assert.Equal(0.9375, found.GetProperty("sparsity").GetDouble(), 9);
        Assert.Equal(layer.DenseBytes, found.GetProperty("bytes").GetInt64());
        JsonElement candidate = found.GetProperty("candidates").EnumerateArray()
            .First(fit => fit.GetProperty("pattern").GetString() == "1:16");
        Assert.Equal(1, candidate.GetProperty("captured_energy").GetDouble());
        Assert.True(candidate.GetProperty("satisfies").GetBoolean());
        System.Xml.Linq.XElement drawing = System.Xml.Linq.XDocument.Load(svg).Root!;
        Assert.Equal("svg", drawing.Name.LocalName);
        Assert.Equal(
            $"{layer.Name}, {layer.Shape}, cells of 1:16: the first 48 of {layer.Shape.Outputs} outputs down, the first 128 of "
            + $"{layer.Shape.Inputs} inputs across",
            drawing.Elements().Single(element => element.Name.LocalName == "text").Value);
        byte[] picture = await File.ReadAllBytesAsync(png);
        Assert.Equal(layer.Shape.Inputs, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(16)));
        Assert.Equal(layer.Shape.Outputs, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(20)));
        NoTorch.Check(loaded);
    }

    /// <summary>Dense weights lie in no pattern: none is named as their best, and the column is left out where no layer has one.</summary>
    [Fact]
    public void Dense_weights_have_no_best_fit()
    {
        SparsityPattern[] candidates = [.. ((string[])["2:4", "1:16", "unstructured:0.0625"]).Select(SparsityPattern.Parse)];
        LayerInspection[] dense = Inspect(Onnx.Zoo.ZooModels.Create("fashion-cnn", 1)), sparse = Inspect(SparseModels.Sparse("1:16"));
        Assert.All(dense, layer => Assert.Null(layer.BestFit));
        Assert.Contains(dense, layer => layer.Candidates.Any(fit => fit.CapturedEnergy > 0.5)); // what it would keep is said
        Assert.All(FitTables.Of(dense, 160), table => Assert.Equal(1 + candidates.Length, table.Columns.Count));
        Assert.Contains(sparse, layer => layer.BestFit is null); // the first convolution
        Assert.Contains(sparse, layer => layer.BestFit == "1:16");
        Assert.All(FitTables.Of(sparse, 160), table => Assert.Equal(2 + candidates.Length, table.Columns.Count));

        LayerInspection[] Inspect(OnnxModel model) =>
            [.. Entries(model).Select(entry => LayerInspection.Of(entry, null, candidates))];
    }

    [Theory]
    [InlineData(true, "bf16")]
    [InlineData(false, "fp32")]
    public async Task What_a_packed_layer_multiplies_is_shown(bool bfloat16, string operands)
    {
        using var folder = new TemporaryFolder();
        var options = new PackingOptions { BFloat16Operands = bfloat16 };
        PackingPass.Pack(SparseModels.Sparse("1:16"), new ComplementaryPattern(1, 16), options).Model.Save(folder.File("packed.onnx"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["inspect", "packed.onnx", "--candidates", "1:16", "--json", "i.json"], null, folder.Path);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Equal(bfloat16, outcome.Output.Contains("float32, bf16 operands", StringComparison.Ordinal));
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("i.json")));
        JsonElement[] layers = [.. json.RootElement.GetProperty("layers").EnumerateArray()];
        foreach (JsonElement layer in layers)
        {
            bool isPacked = layer.GetProperty("op").GetString()!.StartsWith("Packed", StringComparison.Ordinal);
            Assert.Equal(isPacked ? operands : null, layer.GetProperty("operands").GetString());
        }

        Assert.All(Entries(SparseModels.PackedInt8("1:16")), entry => Assert.Null(entry.Operands));
    }

    [Fact]
    public async Task A_layer_that_the_file_declares_dense_is_not_guessed_at()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("sparse.onnx");
        OnnxModel model = SparseModels.Sparse("1:16");
        string[] sparse = [.. WeightLayers.FindFitting(model, new(1, 16)).Select(layer => layer.Name)];
        LayerPatterns.Declare(model, new Dictionary<string, ComplementaryPattern> { [sparse[0]] = new(1, 16) });
        model.Save(path);
        CliProcess.Outcome outcome = await CliProcess.RunAsync("inspect", path, "--candidates", "1:16", "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Dictionary<string, (string?, string?)> found = json.RootElement.GetProperty("layers").EnumerateArray().ToDictionary(
            layer => layer.GetProperty("name").GetString()!,
            layer => (layer.GetProperty("pattern").GetString(), layer.GetProperty("pattern_source").GetString()));
        Assert.Equal(("1:16", "declared"), found[sparse[0]]);
        Assert.All(sparse[1..], name => Assert.Equal((null, null), found[name]));
    }

    /// <summary>Every heading is whole at every width, and every candidate is in one of the tables.</summary>
    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(160)]
    [InlineData(400)]
    public void No_heading_of_the_fits_is_cut(int width)
    {
        string[] patterns = [
            "2:4", "1:4", "1:8", "1:16", "4:64", "1:16@strided", "1:16/out", "1:16x2", "block4x4:0.0625", "unstructured:0.0625"];
        LayerInspection[] layers = [
            .. Entries(SparseModels.Sparse("1:16"))
            .Select(entry => LayerInspection.Of(entry, null, [.. patterns.Select(SparsityPattern.Parse)]))];
        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = width;
        Table[] tables = [.. FitTables.Of(layers, width)];
        foreach (Table table in tables)
            console.Write(table);
        string[] lines = text.ToString().Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= width, line));
        string[] headings = [
            .. lines.Where(line => line.Contains("Σw² kept"))
            .SelectMany(line => line.Split(['│', '|'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
        Assert.Equal(layers[0].Candidates.Select(fit => fit.Pattern), headings.Where(heading => heading is not ("Σw² kept" or "Best fit")));
        Assert.Equal(width >= 160, tables.Length == 1);
        Assert.Equal(tables.Length * layers.Length, lines.Count(line => layers.Any(layer => line.Contains(layer.Name + " "))));
    }

    [Fact]
    public async Task Unknown_layer_is_named_with_those_that_exist()
    {
        using var folder = new TemporaryFolder();
        SparseModels.Sparse("1:16").Save(folder.File("sparse.onnx"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "inspect", folder.File("sparse.onnx"), "--mask", "nowhere", "--png", folder.File("mask.png"));
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("expected one of", Assert.Single(outcome.ErrorLines));
        Assert.Equal("", outcome.Output); // found before the work
        Assert.False(File.Exists(folder.File("mask.png")));
    }

    private static IReadOnlyList<WeightEntry> Entries(OnnxModel model)
    {
        using var folder = new TemporaryFolder();
        model.Save(folder.File("model.onnx"));
        using WeightFile file = WeightFile.Open(folder.File("model.onnx"));
        return file.ReadEntries();
    }
}
