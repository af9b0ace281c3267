using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;

namespace Dovetail.Core.Tests.Packing;

/// <summary>docs/format.md says what the code does: its examples are decoded, and written again to the same bytes.</summary>
public sealed class FormatDocumentTests
{
    private static readonly Lazy<Dictionary<string, string>> Blocks = new(() => Regex.Matches(
            File.ReadAllText(Path.Combine(Repository.Root, "docs", "format.md")), @"```\w+ name=(?<name>\S+)\n(?<text>.*?)\n```",
            RegexOptions.Singleline)
        .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["text"].Value));

    [Theory]
    [InlineData("", "2:4")]
    [InlineData("-2", "1:2x2/out@strided")]
    public void Matrices_PackAsTheDocumentSays(string suffix, string pattern)
    {
        float[][] weights = Rows("weights" + suffix);
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), WeightShape.Matrix(weights.Length, weights[0].Length));
        PackedTensor<float> packed = Packer.Pack<float>(weights.SelectMany(row => row).ToArray(), layout);
        Assert.Equal(Rows("values" + suffix), packed.Values.Chunk(layout.ValueColumns));
        Assert.Equal(Rows("owners" + suffix), packed.Owners.Select(owner => (float)owner).Chunk(layout.OwnerColumns));
        Assert.Equal(Bytes("owner-bytes" + suffix), packed.EncodeOwners());
        Assert.Equal(weights.SelectMany(row => row), Packer.Unpack(packed));
    }

    [Fact]
    public void Values_AreLittleEndian() =>
        Assert.Equal(
            Rows("values").SelectMany(row => row), Bytes("value-bytes").Chunk(4)
            .Select(word => BinaryPrimitives.ReadSingleLittleEndian(word)));

    [Fact]
    public void File_IsDecoded_AndWrittenAgain()
    {
        byte[] bytes = Bytes("file");
        using SafetensorsFile file = SafetensorsFile.FromBytes(bytes);
        file.VerifyPayload();
        var packed = (PackedTensor<float>)Assert.Single(PackedSafetensors.Read(file)).Value;
        Assert.Equal(Rows("weights").SelectMany(row => row), Packer.Unpack(packed));
        Assert.Equal(Bytes("value-bytes"), file.Bytes(file.Get("w.weight_packed")).ToArray());
        Assert.Equal(Bytes("owner-bytes"), file.Bytes(file.Get("w.weight_index")).ToArray());
        Assert.Equal(
            Blocks.Value["header"].ReplaceLineEndings(""), Encoding.UTF8.GetString(bytes.AsSpan(8, (int)file.DataStart - 8)).TrimEnd(' '));

        using var written = new MemoryStream();
        PackedSafetensors.Write(written, new Dictionary<string, PackedTensor> { ["w"] = packed });
        Assert.Equal(bytes, written.ToArray());
        Assert.Contains($"({bytes.Length} bytes)", File.ReadAllText(Path.Combine(Repository.Root, "docs", "format.md")));
    }

    private static float[][] Rows(string block) =>
        [.. Blocks.Value[block].Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(number => float.Parse(number, CultureInfo.InvariantCulture)).ToArray())];

    private static byte[] Bytes(string block) => Convert.FromHexString(string.Concat(Blocks.Value[block].Where(char.IsAsciiHexDigit)));
}
