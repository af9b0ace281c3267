using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Onnx.Tests.Inspection;

/// <summary>The layers of a file, whatever holds them.</summary>
public sealed class WeightFileTests
{
    [Fact]
    public void All_containers_tell_the_same_weights()
    {
        using var folder = new TemporaryFolder();
        OnnxModel packed = SparseModels.Packed("1:16");
        packed.Save(folder.File("packed.onnx"));
        SafetensorsExport.Write(packed, folder.File("packed.safetensors"));
        using WeightFile onnx = WeightFile.Open(folder.File("packed.onnx")),
            safetensors = WeightFile.Open(folder.File("packed.safetensors"));
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
        Assert.Equal(
            layers.Select(layer => (layer.Name, "int8", (long)layer.Shape.Count)),
            entries.Select(entry => (entry.Name, entry.Type, entry.Bytes)));
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
        SafetensorsWriter.Write(
            path, (SafetensorsEntry[])[SafetensorsEntry.Of<float>("w", SafetensorsDType.F32, [2, 4], weights), SafetensorsEntry.Of<float>(
                "bias", SafetensorsDType.F32, [2], new float[2])]);
        using WeightFile file = WeightFile.Open(path);
        WeightEntry entry = Assert.Single(file.ReadEntries());
        Assert.Equal(weights, entry.Load());
        LayerInspection layer = LayerInspection.Of(
            entry, null, [new ComplementaryPattern(2, 4), new ComplementaryPattern(1, 4), new ComplementaryPattern(1, 8)]);
        Assert.Equal("1:4", layer.BestFit);
        Assert.Equal(0.75, layer.Sparsity);
        CandidateFit unfit = layer.Candidates.Single(fit => fit.Pattern == "1:8");
        Assert.NotNull(unfit.ReasonAgainst);
        Assert.Null(unfit.CapturedEnergy);
        Assert.True(Verification.Run(path, new ComplementaryPattern(1, 4)).Satisfied);
    }
}
