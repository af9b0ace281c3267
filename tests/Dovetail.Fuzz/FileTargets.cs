using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Pruning;

namespace Dovetail.Fuzz;

/// <summary>A reader that takes a path: every input becomes a file first.</summary>
internal abstract class FileTarget : FuzzTarget
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("dovetail-fuzz-").FullName, "input");

    public sealed override void Read(byte[] input)
    {
        File.WriteAllBytes(_path, input);
        Read(_path);
    }

    protected abstract void Read(string path);
}

/// <summary>Inputs of a model: .npy, PNG, JPEG, IDX, gzipped or not.</summary>
internal sealed class InputTarget : FileTarget
{
    private static readonly ModelInput s_image = new("x", typeof(float), [-1, 1, 2, 2]);

    public override string Name => "input";

    public override IReadOnlyList<byte[]> Corpus { get; } = [Npy(), Png(), Idx(), Gzip(Idx()), Jpeg()];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [
            [0xFF, 0xFF, 0xFF, 0x7F], [0x80, 0, 0, 0], "IDAT"u8.ToArray(), "IHDR"u8.ToArray(), "'<f4'"u8.ToArray(), [0xFF, 0xD9],
            [0xFF, 0xC4], [0xFF, 0xDA], "(1, 2147483647)"u8.ToArray(),
        ];

    public override long AllocationLimit(int length) => 256L * length + 4 * 1024 * 1024; // the decoder's tables

    protected override void Read(string path) => InputFile.Read(path, s_image, PixelScaling.Default);

    private static byte[] Npy() => NpyFile.ToBytes(new FileTensor(new float[] { 1, 2, 3, 4 }, [1, 1, 2, 2]));

    private static byte[] Idx() => [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9, 8, 7, 6];

    private static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return stream.ToArray();
    }

    private static byte[] Png()
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write([0, 10, 20, 0, 30, 40]);
        return
        [
            0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, .. Chunk("IHDR", [0, 0, 0, 2, 0, 0, 0, 2, 8, 0, 0, 0, 0]),
            .. Chunk("IDAT", data.ToArray()), .. Chunk("IEND", []),
        ];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        return [.. length, .. Encoding.ASCII.GetBytes(type), .. data, 0, 0, 0, 0]; // the decoder does not check the sum
    }

    // start, quantization, a frame of 2 × 2, a table of one code, scan, a byte, end
    private static byte[] Jpeg() =>
        [
            0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0, .. Enumerable.Repeat((byte)1, 64), 0xFF, 0xC0, 0, 11, 8, 0, 2, 0, 2, 1, 1, 0x11, 0,
            0xFF, 0xC4, 0, 20, 0, 1, .. new byte[15], 0, 0xFF, 0xC4, 0, 20, 0x10, 1, .. new byte[15], 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63,
            0,
            0x2A, 0xFF, 0xD9,
        ];
}

/// <summary>Measured latencies, JSON.</summary>
internal sealed class LatencyTarget : FileTarget
{
    public override string Name => "latency";

    public override IReadOnlyList<byte[]> Corpus { get; } =
        [
            """{"schema_version": 1, "layers": [{"name": "a", "pattern": "1:16", "dense_us": 2.5, "packed_us": 1}]}"""u8.ToArray(),
            "{\"layers\": []}"u8.ToArray(),
        ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
        [.. ((string[])["null", "[[[[[[", "1e999", "\"1:256x256/out\"", "-1", "\"layers\"", "\\ud800", "2147483648"])
            .Select(Encoding.UTF8.GetBytes)];

    public override long AllocationLimit(int length) => 512L * length + 256 * 1024;

    protected override void Read(string path) => LatencyTable.Load([path]);
}
