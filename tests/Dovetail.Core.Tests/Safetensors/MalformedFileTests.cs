using System.Buffers.Binary;
using System.Text;
using Dovetail.Core.Safetensors;

namespace Dovetail.Core.Tests.Safetensors;

/// <summary>Each way in which a safetensors file can be wrong, with the message that says so.</summary>
public sealed class MalformedFileTests
{
    private const string Good = """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""";

    [Theory]
    [InlineData(0, "The file has 0 bytes; a safetensors file starts with 8 bytes that hold the length of its header. It is empty, "
        + "truncated or something else. (at byte 0)")]
    [InlineData(7, "The file has 7 bytes; a safetensors file starts with 8 bytes that hold the length of its header. It is empty, "
        + "truncated or something else. (at byte 0)")]
    public void Under_eight_bytes(int length, string message)
    {
        Assert.Equal(message, Message(new byte[length]));
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("short"), new byte[length]);
        Assert.Equal(message, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(folder.File("short"))).Message);
    }

    [Theory]
    [InlineData(100_000_001UL, "The header is said to take 100000001 bytes, expected at most 100000000. This is not a safetensors file. "
        + "(at byte 0)")]
    [InlineData(ulong.MaxValue, "The header is said to take 18446744073709551615 bytes, expected at most 100000000. This is not a "
        + "safetensors file. (at byte 0)")]
    [InlineData(58UL, "The header is said to take 58 bytes, and only 57 follow. The file is truncated or not safetensors. (at byte 0)")]
    [InlineData(100_000_000UL, "The header is said to take 100000000 bytes, and only 57 follow. The file is truncated or not safetensors. "
        + "(at byte 0)")]
    public void Header_length(ulong length, string message)
    {
        byte[] file = Bytes(Good, 4);
        Assert.Equal(65, file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        Assert.Equal(message, Message(file));
    }

    [Fact]
    public void Not_utf8()
    {
        byte[] file = Bytes(Good, 4);
        file[10] = 0xFF;
        SafetensorsException error = Assert.Throws<SafetensorsException>(() => SafetensorsFile.FromBytes(file));
        Assert.Equal("The header is not UTF-8. The file is damaged or not safetensors. (at byte 10)", error.Message);
        Assert.Equal(10, error.FileOffset);
    }

    [Theory]
    [InlineData("", "The header is not a JSON object: The input does not contain any JSON tokens. (at byte 8)")]
    [InlineData("{", "The header is not a JSON object: Expected depth to be zero at the end of the JSON payload. (at byte 9)")]
    [InlineData("[]", "The header is a JSON array, expected an object of tensors. (at byte 8)")]
    [InlineData("7", "The header is a JSON number, expected an object of tensors. (at byte 8)")]
    [InlineData("{} {}", "The header is not a JSON object: '{' is invalid after a single JSON value. (at byte 11)")]
    [InlineData("{}\0", "The header is not a JSON object: '0x00' is invalid after a single JSON value. (at byte 10)")]
    [InlineData("""{"a":}""", "The header is not a JSON object: '}' is an invalid start of a value. (at byte 13)")]
    [InlineData("""{"\ud800":1}""", "The header holds an escape that is no character. (at byte 9)")]
    [InlineData("""{"a":1}""", "A tensor is a JSON number, expected an object with dtype, shape and data_offsets. (tensor 'a', at byte 13)")]
    [InlineData("""{"__metadata__":[]}""", "__metadata__ is a JSON array, expected an object of strings. (at byte 24)")]
    [InlineData("""{"__metadata__":{"x":1}}""", "__metadata__ entry 'x' is a JSON number, expected a string. (at byte 29)")]
    [InlineData("""{"__metadata__":{"x":"","x":""}}""", "__metadata__ holds 'x' twice. (at byte 36)")]
    public void Bad_json(string header, string message) => Assert.Equal(message, Message(Bytes(header, 0)));

    [Theory]
    [InlineData("""{"a":{}}""", "'dtype' is missing. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,4]}}""", "'shape' is missing. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4]}}""", "'data_offsets' is missing. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "'dtype' stands twice. (tensor 'a', at byte 27)")]
    [InlineData("""{"a":{"dtype":"I128","shape":[4],"data_offsets":[0,4]}}""", "dtype is 'I128', expected one of BOOL, U8, I8, U16, I16, U32, I32, U64, I64, F16, BF16, F32, F64, C64, F8_E5M2, F8_E4M3, F8_E8M0, F6_E2M3, F6_E3M2, F4. (tensor 'a', at byte 22)")]
    [InlineData("""{"a":{"dtype":8,"shape":[4],"data_offsets":[0,4]}}""", "dtype is a JSON number, expected a string. (tensor 'a', at byte 22)")]
    [InlineData("""{"a":{"dtype":"U8","shape":4,"data_offsets":[0,4]}}""", "shape is a JSON number, expected an array of integers. (tensor 'a', at byte 35)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}""", "shape holds something that is not an integer from 0 to 2^63 - 1. (tensor 'a', at byte 36)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4.5],"data_offsets":[0,4]}}""", "shape holds something that is not an integer from 0 to 2^63 - 1. (tensor 'a', at byte 36)")]
    [InlineData("""{"a":{"dtype":"U8","shape":["4"],"data_offsets":[0,4]}}""", "shape holds something that is not an integer from 0 to 2^63 - 1. (tensor 'a', at byte 36)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,18446744073709551616]}}""", "data_offsets holds something that is not an integer from 0 to 2^63 - 1. (tensor 'a', at byte 57)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0]}}""", "data_offsets has 1 numbers, expected 2: [begin, end]. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}}""", "data_offsets has 3 numbers, expected 2: [begin, end]. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}""", "data_offsets is [4, 0]: the end lies before the begin. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""", "The size of U8 [4294967296, 4294967296] overflows or is not a whole number of bytes. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}""", "The size of U8 [4294967296, 4294967296, 0] overflows or is not a whole number of bytes. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,4]}}""", "The size of F64 [2305843009213693952] overflows or is not a whole number of bytes. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,4]}}""", "The size of F4 [3] overflows or is not a whole number of bytes. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "F32 [2] takes 8 bytes, and data_offsets [0, 4] gives it 4. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[],"data_offsets":[0,4]}}""", "U8 [] takes 1 bytes, and data_offsets [0, 4] gives it 4. (tensor 'a', at byte 13)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "The header names a tensor twice. (tensor 'a', at byte 61)")]
    public void Bad_tensor(string header, string message) => Assert.Equal(message, Message(Bytes(header, 4)));

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}""", "Bytes 0 to 1 of the data section belong to no tensor; the format allows no holes. (tensor 'a', at byte 61)")]
    [InlineData("""{"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", "Bytes 2 to 3 of the data section belong to no tensor; the format allows no holes. (tensor 'b', at byte 115)")]
    [InlineData("""{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "data_offsets [2, 4] overlaps the tensor before it, which ends at 3. (tensor 'b', at byte 115)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "data_offsets [0, 4] overlaps the tensor before it, which ends at 4. (tensor 'b', at byte 113)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}""", "data_offsets [0, 5] reaches past the end of the data section, 4 bytes. The file is truncated. (tensor 'a', at byte 61)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "The tensors end after 3 bytes of the data section, which has 4; expected them to end with the file. (at byte 64)")]
    [InlineData("{}", "The tensors end after 0 bytes of the data section, which has 4; expected them to end with the file. (at byte 10)")]
    public void Bad_cover(string header, string message) => Assert.Equal(message, Message(Bytes(header, 4)));

    [Fact]
    public void WhatTheReferenceTolerates_IsTolerated()
    {
        using (SafetensorsFile empty = SafetensorsFile.FromBytes(Bytes("{}", 0)))
            Assert.Empty(empty.Tensors);
        using (SafetensorsFile spaced = SafetensorsFile.FromBytes(
            Bytes("  {\"__metadata__\":null, \"a\":{\"dtype\":\"U8\",\"more\":[{}],\"shape\":[4],\"data_offsets\":[0,4]}}\n  ", 4)))
            Assert.Equal([0, 1, 2, 3], spaced.Bytes(spaced.Get("a")).ToArray());
        using SafetensorsFile odd = SafetensorsFile.FromBytes(Bytes(
            """{"z":{"dtype":"F32","shape":[7,0],"data_offsets":[4,4]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"y":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}}""", 4));
        Assert.Equal(["y", "s", "z"], odd.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([BitConverter.UInt32BitsToSingle(0x03020100)], odd.ToArray<float>(odd.Get("s")));
        Assert.Empty(odd.Bytes(odd.Get("z")).ToArray());
    }

    [Fact]
    public void LongNames_AreCutInMessages()
    {
        string name = new('x', 100_000);
        Assert.Equal(
            $"'dtype' is missing. (tensor '{new string('x', 77)}...', at byte 100012)", Message(Bytes("{\"" + name + "\":{}}", 0)));
    }

    [Fact]
    public void MissingFile_Folder_AndUnknownTensor()
    {
        using var folder = new TemporaryFolder();
        string missing = folder.File("none");
        Assert.StartsWith(
            $"Cannot read '{missing}': Could not find file", Assert.Throws<SafetensorsException>(
                () => SafetensorsFile.Open(missing)).Message);
        Assert.StartsWith(
            $"Cannot read '{folder.Path}': ", Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(folder.Path)).Message);
        using SafetensorsFile file = SafetensorsFile.FromBytes(Bytes(Good, 4));
        Assert.Equal(
            "There is no tensor of this name among the 1 of the file. (tensor 'b')",
            Assert.Throws<SafetensorsException>(() => file.Get("b")).Message);
        Assert.Equal(
            "The elements are U8, 8 bits, and were asked for as Single. (tensor 'a', at byte 61)", Assert.Throws<SafetensorsException>(
                () => file.ToArray<float>(file.Get("a"))).Message);
        Assert.Equal(
            "The tensor is not from this file. (tensor 'a')", Assert.Throws<SafetensorsException>(
                () => file.Bytes(file.Get("a") with { End = 400 })).Message);
    }

    internal static byte[] Bytes(string header, int dataLength)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)json.Length);
        json.CopyTo(file, 8);
        for (int i = 0; i < dataLength; i++)
            file[8 + json.Length + i] = (byte)i;
        return file;
    }

    private static string Message(byte[] file) => Assert.Throws<SafetensorsException>(() => SafetensorsFile.FromBytes(file)).Message;
}
