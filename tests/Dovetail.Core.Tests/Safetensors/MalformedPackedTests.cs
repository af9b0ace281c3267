using Dovetail.Core.Safetensors;

namespace Dovetail.Core.Tests.Safetensors;

/// <summary>Valid safetensors files that are no valid packed weights: each field, with the message. The good one is 2:4 on 2×5.</summary>
public sealed class MalformedPackedTests
{
    private static readonly string[] ValuesAndOwners = ["weight_packed", "weight_index", "weight_scale", "owner", "padding"];

    private const string Config = """{"w":{"structure":"2:4","axis":"input","arrangement":"contiguous","share":1,"groups":1}}""";

    [Fact]
    public void TheGoodFile_IsRead() => PackedSafetensors.Read(File());

    [Theory]
    [InlineData("format", null, "The metadata has no 'format'. This is a safetensors file, but not one of packed weights.")]
    [InlineData("format", "pt", "The file: the metadata say format 'pt', expected 'dovetail.packed'. Give a file that 'dovetail pack "
        + "--safetensors' wrote.")]
    [InlineData("format_version", "2", "The file: the metadata say format_version '2', expected '1'. A newer Dovetail wrote it: update, or "
        + "pack its source again with this one.")]
    [InlineData(
        "sparsity_config", null, "The metadata has no 'sparsity_config'. This is a safetensors file, but not one of packed weights.")]
    [InlineData("sparsity_config", "[]", "sparsity_config is a JSON Array, expected an object with an entry for each packed weight.")]
    [InlineData("sparsity_config", "{", "sparsity_config is not JSON: Expected depth to be zero at the end of the JSON payload. There is "
        + "an open JSON object or array that should be closed. LineNumber: 0 | BytePositionInLine: 1.")]
    [InlineData("sparsity_config", "{}", "sparsity_config has no entry for 'w'. (tensor 'w.weight_index')")]
    [InlineData("sparsity_config", """{"w":1}""", "sparsity_config is a JSON Number here, expected an object. (tensor 'w')")]
    [InlineData("sparsity_config", """{"v":{"structure":"2:4","axis":"input","arrangement":"contiguous","share":1,"groups":1}}""", "There is no tensor of this name among the 3 of the file. (tensor 'v.weight_shape')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","axis":"input","arrangement":"contiguous","share":1}}""", "sparsity_config has no number 'groups'. (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","axis":"input","arrangement":"contiguous","share":1,"groups":1,"tile":8}}""", "sparsity_config has the unknown field 'tile', expected structure, axis, arrangement, share and groups. (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","structure":"2:4","axis":"input","arrangement":"contiguous","share":1,"groups":1}}""", "sparsity_config has the field 'structure' twice. (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4x2","axis":"input","arrangement":"contiguous","share":1,"groups":1}}""", "structure is '2:4x2', expected keep:group, e.g. \"4:64\". (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","axis":"both","arrangement":"contiguous","share":1,"groups":1}}""", "axis is 'both', expected \"input\" or \"output\". (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","axis":"input","arrangement":"tiled","share":1,"groups":1}}""", "arrangement is 'tiled', expected \"contiguous\" or \"strided\". (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","axis":"input","arrangement":"contiguous","share":0,"groups":1}}""", "share is 0, expected a positive integer. (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","axis":"input","arrangement":"contiguous","share":257,"groups":1}}""", "Pattern share is 257, expected 1 to 256. (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"2:4","axis":"input","arrangement":"contiguous","share":1,"groups":3}}""", "A weight of 2 outputs does not divide into 3 convolution groups. (tensor 'w')")]
    [InlineData("sparsity_config", """{"w":{"structure":"1:4","axis":"input","arrangement":"contiguous","share":1,"groups":1}}""", "The tensor has the shape [2, 4], expected [2, 2] by its pattern and dense shape. (tensor 'w.weight_packed')")]
    public void BadMetadata_IsRefused(string key, string? value, string message) => Assert.Equal(message, Message(File(metadata =>
    {
        if (value is null)
            metadata.Remove(key);
        else
            metadata[key] = value;
    })));

    [Fact]
    public void BadTensors_AreRefused()
    {
        Assert.Equal(
            "There is no tensor of this name among the 2 of the file. (tensor 'w.weight_packed')",
            Message(File(change: tensors => tensors.Remove("w.weight_packed"))));
        Assert.Equal(
            "There is no tensor of this name among the 2 of the file. (tensor 'w.weight_index')",
            Message(File(change: tensors => tensors.Remove("w.weight_index"))));
        Assert.Equal("The values are I32, expected F32, F16, BF16 or I8. (tensor 'w.weight_packed')",
            Message(File(
                change: tensors =>
                tensors["w.weight_packed"] = SafetensorsEntry.Of<int>("w.weight_packed", SafetensorsDType.I32, [2, 4], new int[8]))));
        Assert.Equal("The tensor is I8, expected U8. (tensor 'w.weight_index')",
            Message(File(
                change: tensors =>
                tensors["w.weight_index"] = SafetensorsEntry.Of<sbyte>("w.weight_index", SafetensorsDType.I8, [2, 1], new sbyte[2]))));
        Assert.Equal("Cell 0, slot 1 has owner 0; expected an owner above 0 and below 4 (owners of a cell ascend). (tensor 'w')",
            Message(File(
                change: tensors =>
                tensors["w.weight_index"] = SafetensorsEntry.Of<byte>("w.weight_index", SafetensorsDType.U8, [2, 1], new byte[2]))));
        Assert.Equal("Cell 1, slot 1, row 0 holds 1, expected 0: it is padding. (tensor 'w')",
            Message(File(
                change: tensors =>
                tensors["w.weight_packed"] = SafetensorsEntry.Of<float>(
                    "w.weight_packed", SafetensorsDType.F32, [2, 4], new float[] { 1, 1, 1, 1, 0, 0, 0, 0 }))));
        Assert.Equal("The dense shape is [2, 0], expected dimensions from 1 to 2^31 - 1. (tensor 'w.weight_shape')", WithShape(2, 0));
        Assert.Equal(
            "The dense shape is [2, 4294967301], expected dimensions from 1 to 2^31 - 1. (tensor 'w.weight_shape')",
            WithShape(2, 4294967301));
        Assert.Equal("A weight has rank 1, expected at least 2: [outputs, inputs, spatial…]. (tensor 'w')", WithShape(2));
        Assert.Equal("A weight of the dimensions [65536, 65536] has more elements than one tensor may hold here, 2147483591. (tensor 'w')",
            WithShape(65536, 65536));
        Assert.Equal("Scales stand beside F32 values, expected them only beside I8. (tensor 'w.weight_scale')",
            Message(File(
                change: tensors =>
                tensors["w.weight_scale"] = SafetensorsEntry.Of<float>("w.weight_scale", SafetensorsDType.F32, [2], new float[2]))));
        Assert.Equal("The scale of output 1 is NaN, expected a finite number of at least 0. (tensor 'w.weight_scale')", Message(
            File(change: tensors =>
        {
            tensors["w.weight_packed"] = SafetensorsEntry.Of<sbyte>("w.weight_packed", SafetensorsDType.I8, [2, 4], new sbyte[8]);
            tensors["w.weight_scale"] = SafetensorsEntry.Of<float>(
                "w.weight_scale", SafetensorsDType.F32, [2], new float[] { 1, float.NaN });
        })));

        static string WithShape(params long[] shape) =>
            Message(File(
                change: tensors =>
                tensors["w.weight_shape"] = SafetensorsEntry.Of<long>("w.weight_shape", SafetensorsDType.I64, [shape.Length], shape)));
    }

    private static SafetensorsFile File(
        Action<Dictionary<string, string>>? metadata = null, Action<Dictionary<string, SafetensorsEntry>>? change = null)
    {
        Dictionary<string, string> texts = new() { ["format"] = "dovetail.packed", ["format_version"] = "1", ["sparsity_config"] = Config };
        Dictionary<string, SafetensorsEntry> tensors = new()
        {
            ["w.weight_packed"] = SafetensorsEntry.Of<float>("w.weight_packed", SafetensorsDType.F32, [2, 4], new float[8]),
            ["w.weight_index"] = SafetensorsEntry.Of<byte>("w.weight_index", SafetensorsDType.U8, [2, 1], new byte[] { 0x0D, 0x04 }),
            ["w.weight_shape"] = SafetensorsEntry.Of<long>("w.weight_shape", SafetensorsDType.I64, [2], new long[] { 2, 5 }),
        };
        metadata?.Invoke(texts);
        change?.Invoke(tensors);
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, tensors.Values, texts);
        return SafetensorsFile.FromBytes(stream.ToArray());
    }

    private static string Message(SafetensorsFile file)
    {
        using (file)
        {
            string message = Assert.Throws<SafetensorsException>(() => PackedSafetensors.Read(file)).Message;
            try
            {
                PackedSafetensors.ReadLayouts(file); // what is not about values and owners is found here too, with the same words
                Assert.Contains(ValuesAndOwners, message.Contains);
            }
            catch (SafetensorsException error)
            {
                Assert.Equal(message, error.Message);
            }

            return message;
        }
    }
}
