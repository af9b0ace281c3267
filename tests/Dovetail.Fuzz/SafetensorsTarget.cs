using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;

namespace Dovetail.Fuzz;

/// <summary>The safetensors reader, its tensors' bytes, the packed weights in it and their unpacking.</summary>
internal sealed partial class SafetensorsTarget : FuzzTarget
{
    public override string Name => "safetensors";

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Plain("{}", 0),
        Plain("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 4),
        Plain("""{"__metadata__":{"a":"b"},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"z":{"dtype":"I64","shape":[3,0],"data_offsets":[4,4]},"h":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]}}""", 16),
        Packed("2:4", [2, 5], 1, quantized: false),
        Packed("1:2x2/out@strided", [6, 2], 1, quantized: false),
        Packed("3:16@strided", [4, 20, 3, 3], 2, quantized: true),
        Packed("4:64", [4, 100], 1, quantized: true),
        Packed("1:1", [3, 4], 1, quantized: false),
        Packed("1:16x2", [5, 40], 1, quantized: false),
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])[
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\\\"", "\\u0000", "\\ud800", "null", "true", "-", "1e9", " ", "\0", "é",
            "\"dtype\":\"F32\"", "\"shape\":[]", "\"data_offsets\":[0,0]", "__metadata__", "sparsity_config", "format_version",
            "payload_sha256",
            ".weight_packed", ".weight_index", ".weight_shape", ".weight_scale", "\"a\":{}", "structure", "256:256", "1:1", "output",
            "strided", "\\\"share\\\":256",
            "\\\"groups\\\":2", "F64", "F16", "BF16", "I8", "I64", "F4", "F6_E2M3", "BOOL", "[0,18446744073709551615]",
            "[4294967296,4294967296]",
        ]).Select(Encoding.UTF8.GetBytes)];

    /// <summary>Decoded owners are up to 8 times their bits; names, messages and collections come on top.</summary>
    public override long AllocationLimit(int length) => 64L * length + 64 * 1024;

    public override void Read(byte[] input)
    {
        using SafetensorsFile file = SafetensorsFile.FromBytes(input);
        foreach (SafetensorsTensor tensor in file.Tensors)
            _ = file.Bytes(tensor).Length;
        file.ComputePayloadHash();
        foreach (PackedTensor packed in PackedSafetensors.Read(file).Values)
            _ = packed.ByteCount;
    }

    /// <summary>Mostly: the length of the header is set again, and the data cut or filled to the greatest end in it.</summary>
    public override byte[] Repair(byte[] input, Random random)
    {
        int end = input.AsSpan().LastIndexOf("]}}"u8) + 3;
        if (end < 11 || random.Next(5) == 0)
            return input;
        long dataLength = 0;
        foreach (Match match in Offsets().Matches(Encoding.Latin1.GetString(input, 0, end)))
            if (long.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long reached))
                dataLength = Math.Max(dataLength, reached);
        if (dataLength > 1 << 16)
            return input;
        var repaired = new byte[end + dataLength];
        input.AsSpan(0, end).CopyTo(repaired);
        int have = (int)Math.Min(dataLength, input.Length - end);
        input.AsSpan(input.Length - have).CopyTo(repaired.AsSpan(end));
        BinaryPrimitives.WriteInt64LittleEndian(repaired, end - 8);
        return repaired;
    }

    [GeneratedRegex(@"data_offsets"":\[[0-9]+,([0-9]+)\]")]
    private static partial Regex Offsets();

    private static byte[] Plain(string header, int dataLength)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        return file;
    }

    private static byte[] Packed(string pattern, int[] shape, int groups, bool quantized)
    {
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), new WeightShape(shape, groups));
        var random = new Random(1);
        float[] scores = [.. Enumerable.Range(0, layout.Shape.Count).Select(_ => random.NextSingle() + 0.1f)];
        bool[] mask = Projection.Project(scores, layout);
        PackedTensor packed = quantized
            ? Packer.Pack<sbyte>(
                [.. mask.Select((kept, i) => kept ? (sbyte)(1 + i % 100) : (sbyte)0)], layout, mask, new float[layout.Shape.Outputs])
            : Packer.Pack<float>([.. mask.Select((kept, i) => kept ? scores[i] : 0)], layout, mask);
        using var stream = new MemoryStream();
        PackedSafetensors.Write(stream, new Dictionary<string, PackedTensor> { ["w"] = packed });
        return stream.ToArray();
    }
}
