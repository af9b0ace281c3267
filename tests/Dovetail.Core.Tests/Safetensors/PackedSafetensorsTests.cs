using System.Text;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;

namespace Dovetail.Core.Tests.Safetensors;

public sealed class PackedSafetensorsTests
{
    [Theory]
    [InlineData("1:16", 8, 48, 1)]
    [InlineData("4:64", 10, 100, 1)]
    [InlineData("1:8/out", 20, 7, 1)]
    [InlineData("2:16@strided", 6, 40, 1)]
    [InlineData("1:16x2", 5, 33, 1)]
    [InlineData("3:5x2/out@strided", 24, 9, 3)]
    [InlineData("1:1", 4, 5, 2)]
    public void PackedWeights_ComeBack(string pattern, int outputs, int inputs, int groups)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("weights.safetensors");
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), new WeightShape([outputs, inputs, 1, 3], groups));
        PackedTensor<float> floats = SyntheticWeights.Packed(layout, 1);
        sbyte[] bytes = [.. Packer.Unpack(floats).Select(weight => (sbyte)Math.Round(weight * 20))];
        PackedTensor<sbyte> integers = Packer.Pack<sbyte>(
            bytes, layout, Packer.UnpackMask(floats), [.. Enumerable.Range(0, outputs).Select(m => m / 7f)]);

        PackedSafetensors.Write(
            path, new Dictionary<string, PackedTensor>
            {
                ["b"] = integers,
                ["a.0"] = floats,
                ["half"] = PackedCast.To(floats, DType.Float16),
                ["bf"] = PackedCast.To(floats, DType.BFloat16)
            },
            [SafetensorsEntry.Of<float>("a.0.bias", SafetensorsDType.F32, [outputs], new float[outputs])]);
        SortedDictionary<string, PackedTensor> read = PackedSafetensors.Read(path, verifyPayload: true);

        Assert.Equal(["a.0", "b", "bf", "half"], read.Keys);
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            Assert.Equal(read.Select(pair => (pair.Key, pair.Value.Pattern, pair.Value.Shape)), PackedSafetensors.ReadLayouts(file)
                .Select(pair => (pair.Key, pair.Value.Pattern, pair.Value.Shape)));
        AssertEqual(PackedCast.To(floats, DType.Float16), read["half"]);
        AssertEqual(PackedCast.To(floats, DType.BFloat16), read["bf"]);
        AssertEqual(floats, read["a.0"]);
        AssertEqual(integers, read["b"]);
        Assert.Equal(Packer.Unpack(floats), Packer.Unpack((PackedTensor<float>)read["a.0"]));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Writing_IsDeterministic_AndAligned()
    {
        var layout = new CellLayout(ComplementaryPattern.Parse("3:16"), WeightShape.Matrix(5, 33));
        PackedTensor<float> packed = SyntheticWeights.Packed(layout, 2);
        byte[] first = Bytes(new() { ["x"] = packed, ["y"] = packed }), second = Bytes(new() { ["y"] = packed, ["x"] = packed });
        Assert.Equal(first, second);
        using SafetensorsFile file = SafetensorsFile.FromBytes(first);
        Assert.Equal(0, file.DataStart % 64);
        Assert.All(file.Tensors, tensor => Assert.Equal(0, tensor.Begin % 64));
        Assert.Contains("\"sparsity_config\"", Encoding.UTF8.GetString(first, 8, 1000));
        Assert.Equal("""{"x":{"structure":"3:16","axis":"input","arrangement":"contiguous","share":1,"groups":1},"y":{"structure":"3:16","axis":"input","arrangement":"contiguous","share":1,"groups":1}}""",
            file.Metadata["sparsity_config"]);
    }

    private static byte[] Bytes(Dictionary<string, PackedTensor> weights)
    {
        using var stream = new MemoryStream();
        PackedSafetensors.Write(stream, weights);
        return stream.ToArray();
    }

    private static void AssertEqual(PackedTensor expected, PackedTensor found)
    {
        Assert.Equal(expected.Pattern, found.Pattern);
        Assert.Equal(expected.Shape, found.Shape);
        Assert.Equal(expected.DType, found.DType);
        Assert.Equal(expected.Owners, found.Owners);
        Assert.Equal(expected.ValueBytes.ToArray(), found.ValueBytes.ToArray());
        Assert.Equal(expected.Scales, found.Scales);
    }
}
