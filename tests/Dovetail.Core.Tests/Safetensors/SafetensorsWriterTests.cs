using System.Security.Cryptography;
using CsCheck;
using Dovetail.Core.Safetensors;

namespace Dovetail.Core.Tests.Safetensors;

public sealed class SafetensorsWriterTests
{
    private static readonly Gen<(string Name, SafetensorsDType Type, long[] Shape)> Tensor = Gen.Select(
        Gen.String[Gen.Char["abc.é\"\\中"], 1, 6], Gen.Enum<SafetensorsDType>(), Gen.Long[0, 5].Array[0, 4]);

    [Fact]
    public void AnyTensors_ComeBack_Aligned_AndHashed() =>
        Gen.Select(Tensor.Array[0, 8], Gen.Int[0, int.MaxValue]).Sample((tensors, seed) =>
    {
        var random = new Random(seed);
        var contents = new SortedDictionary<string, (SafetensorsDType Type, long[] Shape, byte[] Bytes)>(StringComparer.Ordinal);
        foreach ((string name, SafetensorsDType type, long[] shape) in tensors)
            if (SafetensorsTensor.SizeOf(type, shape) is { } size)
            {
                var bytes = new byte[size];
                random.NextBytes(bytes);
                contents[name] = (type, shape, bytes);
            }

        using var stream = new MemoryStream();
        SafetensorsWriter.Write(
            stream, contents.Select(pair => SafetensorsEntry.Of<byte>(pair.Key, pair.Value.Type, pair.Value.Shape, pair.Value.Bytes)),
            new Dictionary<string, string> { ["note"] = "\"é\"" });
        using SafetensorsFile file = SafetensorsFile.FromBytes(stream.ToArray());
        Assert.Equal(0, file.DataStart % 64);
        Assert.Equal("\"é\"", file.Metadata["note"]);
        Assert.Equal(contents.Keys, file.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (SafetensorsTensor tensor in file.Tensors)
        {
            (SafetensorsDType type, long[] shape, byte[] bytes) = contents[tensor.Name];
            Assert.Equal(type, tensor.DType);
            Assert.Equal(shape, tensor.Shape);
            Assert.Equal(bytes, file.Bytes(tensor).ToArray());
            Assert.True(tensor.ByteCount == 0 || tensor.Begin % 64 == 0);
            using Stream read = file.OpenStream(tensor);
            var streamed = new byte[tensor.ByteCount];
            read.ReadExactly(streamed);
            Assert.Equal(bytes, streamed);
            Assert.Equal(-1, read.ReadByte());
        }

        file.VerifyPayload();
        byte[] payload = stream.ToArray()[(int)file.DataStart..];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(payload)), file.Metadata[SafetensorsFile.PayloadHashKey]);
    }, iter: 300, seed: "0000000000001");

    [Fact]
    public void ChangedPayload_IsFound()
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, [SafetensorsEntry.Of<float>("x", SafetensorsDType.F32, [3], new float[3])]);
        byte[] bytes = stream.ToArray();
        bytes[^1] ^= 1;
        using SafetensorsFile file = SafetensorsFile.FromBytes(bytes);
        string found = file.ComputePayloadHash(), told = file.Metadata[SafetensorsFile.PayloadHashKey];
        Assert.NotEqual(told, found);
        Assert.Equal(
            $"The data section has the SHA-256 {found}, and the metadata says {told}. The file is damaged or was edited. (at byte "
            + $"{file.DataStart})",
            Assert.Throws<SafetensorsException>(file.VerifyPayload).Message);
        using SafetensorsFile bare = SafetensorsFile.FromBytes(MalformedFileTests.Bytes("{}", 0));
        Assert.Equal("The metadata holds no payload_sha256, so the data cannot be verified. Files that Dovetail writes have it.",
            Assert.Throws<SafetensorsException>(bare.VerifyPayload).Message);
    }

    [Fact]
    public void WhatTheFormatForbids_IsRefused()
    {
        Assert.Equal("A tensor may not be called '': the name is empty or reserved.", Message([Entry("", [1])]));
        Assert.Equal("A tensor may not be called '__metadata__': the name is empty or reserved.", Message([Entry("__metadata__", [1])]));
        Assert.Equal("A tensor may not be called '__pad__.7': the name is empty or reserved.", Message([Entry("__pad__.7", [1])]));
        Assert.Equal("Two tensors have the same name. (tensor 'x')", Message([Entry("x", [1]), Entry("y", [1]), Entry("x", [1])]));
        Assert.Equal(
            "The shape [-1] of U8 is negative, overflows or is not a whole number of bytes. (tensor 'x')", Message([Entry("x", [-1])]));
        Assert.Equal("The shape [4611686018427387904, 4] of U8 is negative, overflows or is not a whole number of bytes. (tensor 'x')",
            Message([Entry("x", [1L << 62, 4])]));
        Assert.StartsWith(
            "A name or a metadata text holds half of a surrogate pair, which is no character.", Message([Entry("\uD800", [1])]));
        Assert.Equal("1 bytes were written for U8 [2], expected 2. (tensor 'x')", Message([Entry("x", [2])]));
        Assert.Equal("More than the 0 bytes of U8 [0] were written. (tensor 'x')", Message([Entry("x", [0])]));
        Assert.Equal(
            "The metadata key 'payload_sha256' is the writer's own; leave it out.", Message([], new() { ["payload_sha256"] = "" }));

        static SafetensorsEntry Entry(string name, long[] shape) =>
            new(name, SafetensorsDType.U8, [.. shape], stream => stream.WriteByte(7));

        static string Message(SafetensorsEntry[] entries, Dictionary<string, string>? metadata = null) =>
            Assert.Throws<SafetensorsException>(() => SafetensorsWriter.Write(new MemoryStream(), entries, metadata)).Message;
    }

    [Fact]
    public void AFailedWrite_LeavesTheOldFile()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x.safetensors");
        SafetensorsWriter.Write(path, [SafetensorsEntry.Of<float>("x", SafetensorsDType.F32, [], new float[1])]);
        byte[] before = File.ReadAllBytes(path);
        Assert.Throws<InvalidDataException>(() => SafetensorsWriter.Write(path,
            [new SafetensorsEntry("y", SafetensorsDType.U8, [8], stream => { stream.WriteByte(1); throw new InvalidDataException(); })]));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    /// <summary>A sparse file: 2.2 GB of zeros that take no room on the disk, with a tensor behind them.</summary>
    [Fact]
    public void FilesOverTwoGigabytes_AreReadInPlace()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("large.safetensors");
        const long Large = 2_200_000_000;
        byte[] head = MalformedFileTests.Bytes(
            $$$"""{"a":{"dtype":"F32","shape":[{{{Large / 4}}}],"data_offsets":[0,{{{Large}}}]},"b":{"dtype":"U8","shape":[3],"data_offsets":[{{{Large}}},{{{Large + 3}}}]}}""", 0);
        using (var stream = new FileStream(path, FileMode.CreateNew))
        {
            stream.Write(head);
            stream.Position = head.Length + Large - 1;
            stream.Write([9, 1, 2, 3]);
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(head.Length + Large + 3, file.FileLength);
        Assert.Equal([1, 2, 3], file.Bytes(file.Get("b")).ToArray());
        Assert.Equal($"The tensor has {Large} bytes, more than a span can hold; read it as a stream. (tensor 'a', at byte {head.Length})",
            Assert.Throws<SafetensorsException>(() => file.Bytes(file.Get("a")).Length).Message);
        using Stream streamed = file.OpenStream(file.Get("a"));
        Assert.Equal(Large, streamed.Length);
        streamed.Position = Large - 1;
        Assert.Equal(9, streamed.ReadByte());
        Assert.Equal(-1, streamed.ReadByte());
    }

    [Fact]
    public void ADisposedFile_GivesNothing()
    {
        SafetensorsFile file = SafetensorsFile.FromBytes(MalformedFileTests.Bytes("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1));
        SafetensorsTensor tensor = file.Get("a");
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Bytes(tensor).Length);
        Assert.Throws<ObjectDisposedException>(() => file.ComputePayloadHash());
    }
}
