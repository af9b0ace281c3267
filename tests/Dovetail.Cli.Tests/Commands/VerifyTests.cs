using System.Text.Json;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Inspection;
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
        Assert.Contains(json.RootElement.GetProperty("layers").EnumerateArray(), layer => layer.GetProperty("status").GetString() == "satisfied");
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

    [Fact]
    public void Metadata_of_a_sparse_file_declare_its_pattern()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SparseModels.Sparse("2:32");
        model.SetMetadata(LayerPatterns.CommonMetadata, "2:32");
        model.Save(folder.File("sparse.onnx"));
        Assert.True(Verification.Run(folder.File("sparse.onnx"), null).Satisfied);
        Assert.False(Verification.Run(folder.File("sparse.onnx"), new ComplementaryPattern(1, 16)).Satisfied);
        Verdict unstructured = Verification.Run(folder.File("sparse.onnx"), new UnstructuredPattern(0.5)); // the first convolution stayed dense
        Assert.Equal(WeightLayers.Find(model)[0].Name, Assert.Single(unstructured.Violations).Layer);
        Assert.Null(unstructured.FirstViolation!.Cell);
    }

    [Fact]
    public void Owners_out_of_order_in_packed_onnx()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SparseModels.Packed("2:32");
        NodeProto node = model.Nodes.First(PackedWeights.IsPacked);
        TensorProto owners = model.Constant(node.Inputs[2], node);
        byte[] bytes = owners.Read<byte>();
        bytes[0] = (byte)(bytes[0] | 31); // the first owner is the last candidate, so the second cannot be above it
        owners.Write<byte>(bytes);
        model.Save(folder.File("packed.onnx"));
        Verdict verdict = Verification.Run(folder.File("packed.onnx"), null);
        Assert.Equal((node.Name, 0, 0), (verdict.FirstViolation!.Layer, verdict.FirstViolation.Cell, verdict.FirstViolation.Row));
        Assert.Single(verdict.Violations);
    }

    [Fact]
    public void Packed_layer_outside_of_the_pattern_that_is_asked_for()
    {
        using var folder = new TemporaryFolder();
        SparseModels.Packed("2:32").Save(folder.File("packed.onnx"));
        Assert.True(Verification.Run(folder.File("packed.onnx"), new ComplementaryPattern(4, 32)).Satisfied);
        Assert.False(Verification.Run(folder.File("packed.onnx"), new ComplementaryPattern(1, 16)).Satisfied);
    }

    [Fact]
    public void Packed_safetensors_are_checked_with_their_hash()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("packed.safetensors");
        SafetensorsExport.Write(SparseModels.Packed("2:32"), path);
        Assert.True(Verification.Run(path, null).Satisfied);

        (string values, long valueAt, long ownerAt) = Places(path);
        byte[] good = File.ReadAllBytes(path);
        File.WriteAllBytes(path, Flip(good, valueAt));
        Verdict edited = Verification.Run(path, null);
        Assert.Contains("SHA-256", Assert.Single(edited.Violations).Message);

        byte[] broken = [.. good];
        broken[ownerAt] |= 31;
        File.WriteAllBytes(path, broken);
        Verdict verdict = Verification.Run(path, null);
        Assert.Equal(values, verdict.FirstViolation!.Layer);
        Assert.Equal(0, verdict.FirstViolation.Cell);
    }

    // every cell counted by hand, over all cells of a small matrix and all patterns of a few groups
    [Fact]
    public void Fault_is_found_where_brute_force_finds_it()
    {
        var random = new Random(5);
        var shape = WeightShape.Matrix(6, 8);
        foreach (string text in (string[])["1:4", "2:4", "2:8", "1:4@strided", "1:3/out", "2:4x2", "1:2x2/out@strided"])
        {
            var layout = new CellLayout(ComplementaryPattern.Parse(text), shape);
            for (int trial = 0; trial < 200; trial++)
            {
                bool[] mask = [.. Enumerable.Range(0, shape.Count).Select(_ => random.Next(8) == 0)];
                int? broken = null;
                for (int cell = layout.CellCount - 1; cell >= 0; cell--)
                {
                    int used = Enumerable.Range(0, layout.CandidateCount(cell)).Select(i => layout.Candidate(cell, i))
                        .Count(place => Enumerable.Range(place.Row, place.RowCount).Any(row => mask[row * 8 + place.Column]));
                    if (used > layout.UsedSlots(cell))
                        broken = cell;
                }

                MaskFault? fault = PatternMatch.FindFault(mask, layout.Pattern, shape);
                Assert.Equal(broken, fault?.Cell);
                Assert.Equal(broken is null, PatternMatch.IsSatisfied(mask, layout.Pattern, shape));
                Assert.True(fault is null || mask[fault.Row * 8 + fault.Column]);
            }
        }
    }

    private static (string Layer, long ValueAt, long OwnerAt) Places(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsTensor values = file.Tensors.First(tensor => tensor.Name.EndsWith(".weight_packed", StringComparison.Ordinal));
        string layer = values.Name[..^".weight_packed".Length];
        return (layer, file.DataStart + values.Begin, file.DataStart + file.Get(layer + ".weight_index").Begin);
    }

    private static byte[] Half(byte[] bytes) => bytes[..(bytes.Length / 2)];

    private static byte[] Flip(byte[] bytes, long at)
    {
        byte[] copy = [.. bytes];
        copy[at] ^= 1;
        return copy;
    }
}
