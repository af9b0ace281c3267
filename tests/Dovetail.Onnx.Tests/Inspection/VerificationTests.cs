using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Onnx.Tests.Inspection;

public sealed class VerificationTests
{
    [Fact]
    public void Metadata_of_a_sparse_file_declare_its_pattern()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SparseModels.Sparse("2:32");
        model.SetMetadata(LayerPatterns.CommonMetadata, "2:32");
        model.Save(folder.File("sparse.onnx"));
        Assert.True(Verification.Run(folder.File("sparse.onnx"), null).Satisfied);
        Assert.False(Verification.Run(folder.File("sparse.onnx"), new ComplementaryPattern(1, 16)).Satisfied);
        // the first convolution stayed dense
        Verdict unstructured = Verification.Run(folder.File("sparse.onnx"), new UnstructuredPattern(0.5));
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

    private static (string Layer, long ValueAt, long OwnerAt) Places(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsTensor values = file.Tensors.First(tensor => tensor.Name.EndsWith(".weight_packed", StringComparison.Ordinal));
        string layer = values.Name[..^".weight_packed".Length];
        return (layer, file.DataStart + values.Begin, file.DataStart + file.Get(layer + ".weight_index").Begin);
    }

    private static byte[] Flip(byte[] bytes, long at)
    {
        byte[] copy = [.. bytes];
        copy[at] ^= 1;
        return copy;
    }
}
