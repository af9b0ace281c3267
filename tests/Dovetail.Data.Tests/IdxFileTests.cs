using System.Buffers.Binary;
using System.IO.Compression;

namespace Dovetail.Data.Tests;

public sealed class IdxFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static byte[] Idx(byte[] data, params int[] dimensions)
    {
        var bytes = new byte[4 + 4 * dimensions.Length + data.Length];
        (bytes[2], bytes[3]) = (8, (byte)dimensions.Length);
        for (int i = 0; i < dimensions.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + 4 * i), dimensions[i]);
        data.CopyTo(bytes, 4 + 4 * dimensions.Length);
        return bytes;
    }

    public static byte[] Gzip(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionMode.Compress))
            gzip.Write(content);
        return memory.ToArray();
    }

    [Fact]
    public void Plain_and_gzipped_files_read_the_same()
    {
        byte[] data = [.. Enumerable.Range(0, 24).Select(i => (byte)i)];
        foreach (byte[] file in (byte[][])[Idx(data, 2, 3, 4), Gzip(Idx(data, 2, 3, 4))])
        {
            IdxArray read = IdxFile.Read(Save(file), rank: 3);
            Assert.Equal(data, read.Data);
            Assert.Equal([2, 3, 4], read.Dimensions);
        }
    }

    [Fact]
    public void Every_cut_is_noticed()
    {
        byte[] plain = Idx([.. Enumerable.Range(0, 24).Select(i => (byte)i)], 2, 3, 4), zipped = Gzip(plain);
        for (int length = 0; length < plain.Length; length++)
            Assert.Contains("cut short", Failure(plain[..length], 3));
        // gzip's last 8 bytes are its checksum and length, and the two before them hold the end mark: no data
        for (int length = 0; length < zipped.Length - 10; length++)
            Assert.Matches("cut short|damaged|starts with the bytes", Failure(zipped[..length], 3));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 0 }, 3, "starts with the bytes 00000801, expected 00000803: an IDX file of unsigned "
        + "bytes in 3 dimensions")]
    [InlineData(new byte[] { 0, 0, 13, 1, 0, 0, 0, 0 }, 1, "starts with the bytes 00000D01, expected 00000801: an IDX file of unsigned "
        + "bytes in 1 dimension.")]
    [InlineData(new byte[] { 0, 0, 8, 1, 255, 255, 255, 255 }, 1, "dimension 0 is 4294967295: more than 1073741824 elements")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 2, 7, 7, 7 }, 1, "holds more than the 2 bytes that its dimensions 2 ask for")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 3, 7, 7 }, 1, "cut short: it holds 2 of the 3 bytes")]
    public void A_wrong_file_is_one_clear_message(byte[] file, int rank, string message) =>
        Assert.Contains(message, Failure(file, rank));

    [Fact]
    public void Dimensions_that_overflow_are_refused() =>
        Assert.Contains("elements in all", Failure(Idx([], 1 << 20, 1 << 20, 1 << 24), 3));

    [Fact]
    public void Damaged_gzip_data_is_refused()
    {
        byte[] zipped = Gzip(Idx(new byte[1000], 1000));
        for (int i = 10; i < 20; i++)
            zipped[i] ^= 0x5a;
        Assert.Matches("damaged|cut short|starts with", Failure(zipped, 1));
    }

    [Fact]
    public void A_missing_file_is_one_clear_message() =>
        Assert.Contains("does not exist", Assert.Throws<DataException>(() => IdxFile.Read(_folder.File("none"), 1)).Message);

    private string Failure(byte[] file, int rank)
    {
        string path = Save(file), message = Assert.Throws<DataException>(() => IdxFile.Read(path, rank)).Message;
        Assert.StartsWith(path, message);
        return message;
    }

    private string Save(byte[] file)
    {
        string path = _folder.File("file.idx");
        File.WriteAllBytes(path, file);
        return path;
    }
}
