using System.Text.Json;
using Dovetail.Cli.Commands;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
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
        string path = folder.File("sparse.onnx"), loaded = folder.File("assemblies.txt"), svg = folder.File("mask.svg"), png = folder.File("mask.png");
        model.Save(path);
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["inspect", path, "--mask", layer.Name, "--svg", svg, "--png", png, "--json", "-"], NoTorch.Environment(loaded));
        Assert.Equal(0, outcome.ExitCode);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        Assert.Equal("onnx", json.RootElement.GetProperty("format").GetString());
        JsonElement found = json.RootElement.GetProperty("layers").EnumerateArray().First(entry => entry.GetProperty("name").GetString() == layer.Name);
        Assert.Equal(layer.Shape.Dimensions, found.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()));
        Assert.Equal("1:16", found.GetProperty("pattern").GetString());
        Assert.Equal("detected", found.GetProperty("pattern_source").GetString());
        Assert.Equal(0.9375, found.GetProperty("sparsity").GetDouble(), 9);
        Assert.Equal(layer.DenseBytes, found.GetProperty("bytes").GetInt64());
        JsonElement candidate = found.GetProperty("candidates").EnumerateArray().First(fit => fit.GetProperty("pattern").GetString() == "1:16");
        Assert.Equal(1, candidate.GetProperty("captured_energy").GetDouble());
        Assert.True(candidate.GetProperty("satisfies").GetBoolean());
        System.Xml.Linq.XElement drawing = System.Xml.Linq.XDocument.Load(svg).Root!;
        Assert.Equal("svg", drawing.Name.LocalName);
        Assert.Equal(
            $"{layer.Name}, {layer.Shape}, cells of 1:16: the first 48 of {layer.Shape.Outputs} outputs down, the first 128 of {layer.Shape.Inputs} inputs across",
            drawing.Elements().Single(element => element.Name.LocalName == "text").Value);
        byte[] picture = await File.ReadAllBytesAsync(png);
        Assert.Equal(layer.Shape.Inputs, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(16)));
        Assert.Equal(layer.Shape.Outputs, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(20)));
        NoTorch.Check(loaded);
    }

    [Theory]
    [InlineData("1:16", 64, 64)]
    [InlineData("4:64", 32, 128)]
    [InlineData("1:8/out", 64, 32)]
    [InlineData("2:16@strided", 32, 64)]
    [InlineData("1:16x2", 64, 64)]
    [InlineData("2:4", 16, 40)]
    [InlineData("channel:0.25", 32, 32)]
    public void Pattern_of_a_projected_mask_is_detected(string text, int outputs, int inputs)
    {
        var shape = WeightShape.Matrix(outputs, inputs);
        var pattern = SparsityPattern.Parse(text);
        float[] weights = GaussianWeights.Create(shape.Count, 11);
        bool[] mask = Projection.Project(Array.ConvertAll(weights, w => w * w), pattern, shape);
        Assert.Equal(pattern, PatternDetection.Find(mask, shape));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.25)]
    [InlineData(0.0625)]
    public void Unstructured_and_dense_weights_show_no_pattern(double density)
    {
        var shape = WeightShape.Matrix(256, 256);
        bool[] mask = Projection.Project(Array.ConvertAll(GaussianWeights.Create(shape.Count, 2), w => w * w), new UnstructuredPattern(density), shape);
        Assert.Null(PatternDetection.Find(mask, shape));
        Assert.Null(PatternDetection.Find([.. Enumerable.Repeat(true, shape.Count)], shape));
    }

    [Fact]
    public void All_containers_tell_the_same_weights()
    {
        using var folder = new TemporaryFolder();
        OnnxModel packed = SparseModels.Packed("1:16");
        packed.Save(folder.File("packed.onnx"));
        SafetensorsExport.Write(packed, folder.File("packed.safetensors"));
        using WeightFile onnx = WeightFile.Open(folder.File("packed.onnx")), safetensors = WeightFile.Open(folder.File("packed.safetensors"));
        Assert.Equal("packed onnx", onnx.Format);
        Assert.Equal("packed safetensors", safetensors.Format);
        WeightEntry[] layers = [.. onnx.ReadEntries().Where(entry => entry.IsPacked)];
        Assert.NotEmpty(layers);
        foreach (WeightEntry layer in layers)
        {
            WeightEntry twin = safetensors.ReadEntries().Single(entry => entry.Name == layer.Name);
            Assert.Equal(layer.Load(), twin.Load());
            Assert.Equal((layer.Shape, layer.Bytes, layer.Declared), (twin.Shape, twin.Bytes, twin.Declared));
            Assert.True(layer.Bytes < layer.DenseBytes);
        }
    }

    [Fact]
    public void Dense_onnx_layers_are_those_of_the_rewriter()
    {
        OnnxModel model = SparseModels.Sparse("1:16");
        IReadOnlyList<WeightLayer> expected = WeightLayers.Find(model);
        IReadOnlyList<WeightEntry> found = OnnxWeights.Read(model);
        Assert.Equal(expected.Select(layer => layer.Name), found.Select(entry => entry.Name));
        foreach ((WeightLayer layer, WeightEntry entry) in expected.Zip(found))
        {
            Assert.Equal(layer.Shape, entry.Shape);
            Assert.Equal(layer.GetWeights(), entry.Load());
        }
    }

    /// <summary>A QDQ model: int8 weights times the scales of their outputs, and the pattern of the float model it was made of.</summary>
    [Fact]
    public void Quantized_layers_are_read_through_their_scales()
    {
        using var folder = new TemporaryFolder();
        OnnxModel quantized = SparseModels.Int8("1:16");
        string path = folder.File("sparse_int8.onnx");
        quantized.Save(path);
        using WeightFile file = WeightFile.Open(path);
        IReadOnlyList<WeightEntry> entries = file.ReadEntries();
        // the pass folds batch norms into the weights, so they are compared with the integers that it wrote
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(quantized);
        Assert.Equal(layers.Select(layer => (layer.Name, "int8", (long)layer.Shape.Count)), entries.Select(entry => (entry.Name, entry.Type, entry.Bytes)));
        foreach ((WeightLayer layer, WeightEntry entry) in layers.Zip(entries))
        {
            sbyte[] integers = layer.GetInt8Weights();
            float[] weights = entry.Load();
            for (int row = 0; row < layer.Shape.Outputs; row++)
            {
                Span<float> values = weights.AsSpan(row * layer.Shape.Inputs, layer.Shape.Inputs);
                ReadOnlySpan<sbyte> stored = integers.AsSpan(row * layer.Shape.Inputs, layer.Shape.Inputs);
                int top = 0;
                for (int column = 0; column < values.Length; column++)
                    top = Math.Abs(stored[column]) > Math.Abs(stored[top]) ? column : top;
                float scale = stored[top] == 0 ? 0 : values[top] / stored[top]; // one scale an output
                for (int column = 0; column < values.Length; column++)
                    Assert.Equal(stored[column] * scale, values[column], 1e-5f * Math.Abs(values[top]));
            }

            LayerInspection inspection = LayerInspection.Of(entry, null, [new ComplementaryPattern(1, 16)]);
            if (layer.ReasonAgainst(new(1, 16)) is null)
                Assert.Equal(("1:16", "detected"), (inspection.Pattern, inspection.PatternSource));
        }

        Assert.True(Verification.Run(path, new ComplementaryPattern(1, 16)).Satisfied);
    }

    [Fact]
    public void Plain_safetensors_are_read_as_tensors()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("plain.safetensors");
        float[] weights = [1, 0, 0, 0, 0, 2, 0, 0];
        SafetensorsWriter.Write(path, (SafetensorsEntry[])[SafetensorsEntry.Of<float>("w", SafetensorsDType.F32, [2, 4], weights), SafetensorsEntry.Of<float>("bias", SafetensorsDType.F32, [2], new float[2])]);
        using WeightFile file = WeightFile.Open(path);
        WeightEntry entry = Assert.Single(file.ReadEntries());
        Assert.Equal(weights, entry.Load());
        LayerInspection layer = LayerInspection.Of(entry, null, [new ComplementaryPattern(2, 4), new ComplementaryPattern(1, 4), new ComplementaryPattern(1, 8)]);
        Assert.Equal("1:4", layer.BestFit);
        Assert.Equal(0.75, layer.Sparsity);
        CandidateFit unfit = layer.Candidates.Single(fit => fit.Pattern == "1:8");
        Assert.NotNull(unfit.ReasonAgainst);
        Assert.Null(unfit.CapturedEnergy);
        Assert.True(Verification.Run(path, new ComplementaryPattern(1, 4)).Satisfied);
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
            [.. OnnxWeights.Read(model).Select(entry => LayerInspection.Of(entry, null, candidates))];
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

        Assert.All(OnnxWeights.Read(SparseModels.PackedInt8("1:16")), entry => Assert.Null(entry.Operands));
    }

    /// <summary>Every heading is whole at every width, and every candidate is in one of the tables.</summary>
    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(160)]
    [InlineData(400)]
    public void No_heading_of_the_fits_is_cut(int width)
    {
        string[] patterns = ["2:4", "1:4", "1:8", "1:16", "4:64", "1:16@strided", "1:16/out", "1:16x2", "block4x4:0.0625", "unstructured:0.0625"];
        LayerInspection[] layers = [.. OnnxWeights.Read(SparseModels.Sparse("1:16")).Select(entry => LayerInspection.Of(entry, null, [.. patterns.Select(SparsityPattern.Parse)]))];
        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = width;
        Table[] tables = [.. FitTables.Of(layers, width)];
        foreach (Table table in tables)
            console.Write(table);
        string[] lines = text.ToString().Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= width, line));
        string[] headings = [.. lines.Where(line => line.Contains("Σw² kept")).SelectMany(line => line.Split(['│', '|'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
        Assert.Equal(layers[0].Candidates.Select(fit => fit.Pattern), headings.Where(heading => heading is not ("Σw² kept" or "Best fit")));
        Assert.Equal(width >= 160, tables.Length == 1);
        Assert.Equal(tables.Length * layers.Length, lines.Count(line => layers.Any(layer => line.Contains(layer.Name + " "))));
    }

    [Fact]
    public async Task Unknown_layer_is_named_with_those_that_exist()
    {
        using var folder = new TemporaryFolder();
        SparseModels.Sparse("1:16").Save(folder.File("sparse.onnx"));
        CliProcess.Outcome outcome = await CliProcess.RunAsync("inspect", folder.File("sparse.onnx"), "--mask", "nowhere", "--png", folder.File("mask.png"));
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("expected one of", Assert.Single(outcome.ErrorLines));
        Assert.Equal("", outcome.Output); // found before the work
        Assert.False(File.Exists(folder.File("mask.png")));
    }
}
