using System.IO.Compression;
using Dovetail.Data.Tensors;

namespace Dovetail.Data.Tests.Tensors;

/// <summary>Files as inputs: what fits, how bytes become floats, and what is said where something does not fit.</summary>
public sealed class InputFileTests : IDisposable
{
    /// <summary>Two pixels, (10, 20, 30) and (200, 100, 50): RGB, 8 bits, made with zlib outside this program.</summary>
    private static readonly byte[] s_twoPixels = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGPgEpE7kWIEAARxAZt3MVGCAAAAAElFTkSuQmCC");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_colour_image_becomes_planes()
    {
        FileTensor tensor = Read("two.png", s_twoPixels, new ModelInput("x", typeof(float), [-1, 3, 1, 2]));
        Assert.Equal([1, 3, 1, 2], tensor.Shape);
        float[] expected = [10 / 255f, 200 / 255f, 20 / 255f, 100 / 255f, 30 / 255f, 50 / 255f];
        foreach ((float e, float found) in expected.Zip((float[])tensor.Values))
            Assert.Equal(e, found, 1e-6f);
    }

    [Fact]
    public void Channels_last_and_bytes_stay_as_they_are()
    {
        FileTensor tensor = Read("two.png", s_twoPixels, new ModelInput("x", typeof(byte), [1, -1, 2, 3]));
        Assert.Equal([1, 1, 1, 2], Read("two.png", s_twoPixels, new ModelInput("x", typeof(byte), [1, 1, -1, -1])).Shape);
        Assert.Equal([1, 1, 2, 3], tensor.Shape);
        Assert.Equal([10, 20, 30, 200, 100, 50], Assert.IsType<byte[]>(tensor.Values));
    }

    [Fact]
    public void Scale_mean_and_deviation_are_per_channel()
    {
        var scaling = new PixelScaling(0.5f, [1, 2, 3], [2]);
        var values = (float[])Read("two.png", s_twoPixels, new ModelInput("x", typeof(float), [1, 3, 1, 2]), scaling).Values;
        Assert.Equal([(5 - 1) / 2f, (100 - 1) / 2f, (10 - 2) / 2f, (50 - 2) / 2f, (15 - 3) / 2f, (25 - 3) / 2f], values);
        var error = Assert.Throws<TensorFileException>(
            () => Read("two.png", s_twoPixels, new ModelInput("x", typeof(float), [1, 3, 1, 2]), scaling with { Mean = [1, 2] }));
        Assert.Contains("--mean has 2 numbers, expected 1 or one for each of the 3 channels", error.Message);
    }

    [Fact]
    public void The_default_is_a_division_by_255()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        Assert.Equal(all.Select(pixel => pixel / 255f), PixelScaling.Default.Apply(all, 1));
    }

    [Fact]
    public void Bytes_of_a_npy_file_are_scaled_as_pixels()
    {
        var scaling = new PixelScaling(1, [1, 2, 3], [1]);
        // a missing batch of 1 is added
        byte[] planes = NpyFile.ToBytes(new FileTensor(new byte[] { 10, 200, 20, 100, 30, 50 }, [3, 1, 2]));
        FileTensor tensor = Read("planes.npy", planes, new ModelInput("x", typeof(float), [-1, 3, 1, 2]), scaling);
        Assert.Equal([1, 3, 1, 2], tensor.Shape);
        Assert.Equal([9, 199, 18, 98, 27, 47], (float[])tensor.Values);
    }

    [Fact]
    public void Idx_images_are_read_gzipped_too()
    {
        byte[] idx = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102];
        var input = new ModelInput("x", typeof(float), [-1, 1, 1, 2]);
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(idx);
        foreach (byte[] file in (byte[][])[idx, stream.ToArray()])
        {
            FileTensor tensor = Read("images", file, input);
            Assert.Equal([2, 1, 1, 2], tensor.Shape);
            Assert.Equal([0, 1, 0.2f, 0.4f], (float[])tensor.Values);
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        ModelInput image = new("x", typeof(float), [-1, 3, 224, 224]), tokens = new("ids", typeof(long), [1, -1]);
        Refused("two.png", s_twoPixels, image, "2 × 1 pixels (width × height), and the input is 'x', float [any, 3, 224, 224]");
        Refused("two.png", s_twoPixels, tokens, "is an image, and the input 'ids', int64 [1, any] is none");
        Refused("cut.png", s_twoPixels[..40], new("x", typeof(float), [-1, 3, 1, 2]), "not a whole PNG or JPEG image");
        Refused("a.npy", NpyFile.ToBytes(new FileTensor(new float[6], [1, 6])), image, "holds float [1, 6], which does not fit the "
            + "input 'x'");
        Refused("a.npy", NpyFile.ToBytes(new FileTensor(new float[6], [1, 6])), tokens, "Convert its elements");
        Refused("notes.txt", "hello"u8.ToArray(), image, "starts with the bytes 68656C6C; expected a .npy, PNG, JPEG or IDX");
        Refused("empty", [], image, "expected a .npy");
        Refused("labels", [0, 0, 8, 1, 0, 0, 0, 1, 5], image, "expected a .npy");
        Assert.Contains(
            "cannot be read", Assert.Throws<TensorFileException>(
                () => InputFile.Read(_folder.File("absent.png"), image, PixelScaling.Default)).Message);
    }

    [Fact]
    public void A_picture_that_is_cut_anywhere_is_refused_at_once()
    {
        var image = new ModelInput("x", typeof(float), [-1, 3, 1, 2]);
        for (int length = 4; length < s_twoPixels.Length; length++)
            Assert.Throws<TensorFileException>(() => Read("cut.png", s_twoPixels[..length], image));
        // a JPEG of headers alone: start, frame 2 × 1, scan, end
        byte[] jpeg = [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 2, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 7, 0xFF, 0xD9];
        for (int length = 3; length < jpeg.Length; length++)
            Assert.Throws<TensorFileException>(() => Read("cut.jpg", jpeg[..length], image));
        for (int at = 2; at < jpeg.Length; at++)
            for (int value = 0; value < 256; value += 15)
            {
                byte[] damaged = [.. jpeg];
                damaged[at] = (byte)value;
                Record.Exception(() => Read("damaged.jpg", damaged, image)); // it ends, whatever is said
            }
    }

    [Fact]
    public void A_picture_that_inflates_beyond_its_size_is_refused()
    {
        using var data = new MemoryStream();
        using (var zlib = new System.IO.Compression.ZLibStream(data, System.IO.Compression.CompressionLevel.SmallestSize, leaveOpen: true))
            zlib.Write(new byte[1 << 22]);
        byte[] idat = data.ToArray();
        byte[] bomb =
        [
            .. s_twoPixels.AsSpan(0, 33), 0, 0, (byte)(idat.Length >> 8), (byte)idat.Length, (byte)'I', (byte)'D', (byte)'A', (byte)'T',
            .. idat, 0, 0, 0, 0, 0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0, 0, 0, 0,
        ];
        Refused("bomb.png", bomb, new("x", typeof(float), [-1, 3, 1, 2]), "its data inflate to more than the");
    }

    [Fact]
    public void A_small_archive_may_not_ask_for_gigabytes()
    {
        using var zipped = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(
            zipped, System.IO.Compression.CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write([0, 0, 8, 3, 0, 0, 0x80, 0, 0, 0, 0, 64, 0, 0, 0, 64]); // 32768 × 64 × 64 = 128 MB
            gzip.Write(new byte[1 << 20]);
        }

        Refused("bomb.gz", zipped.ToArray(), new("x", typeof(float), [-1, 1, 64, 64]), "at most 67108864 are read of a file of its size");
        Refused("short", [0, 0, 8, 3, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 1], new("x", typeof(float), [-1, 1, 9, 9]), "at most");
    }

    [Fact]
    public void Stack_joins_rows_and_slice_takes_them_apart()
    {
        var a = new FileTensor(new long[] { 1, 2, 3, 4 }, [2, 2]);
        var b = new FileTensor(new long[] { 5, 6 }, [1, 2]);
        FileTensor both = InputBatch.Stack([a, b], ["a", "b"]);
        Assert.Equal([3, 2], both.Shape);
        Assert.Equal([1, 2, 3, 4, 5, 6], (long[])both.Values);
        FileTensor last = InputBatch.Slice(both, 1, 2);
        Assert.Equal([2, 2], last.Shape);
        Assert.Equal([3, 4, 5, 6], (long[])last.Values);
        Assert.Contains(
            "'c' is int64 [1, 3]", Assert.Throws<TensorFileException>(
                () => InputBatch.Stack([a, new FileTensor(new long[3], [1, 3])], ["a", "c"])).Message);
    }

    private FileTensor Read(string name, byte[] bytes, ModelInput input, PixelScaling? scaling = null)
    {
        File.WriteAllBytes(_folder.File(name), bytes);
        return InputFile.Read(_folder.File(name), input, scaling ?? PixelScaling.Default);
    }

    private void Refused(string name, byte[] bytes, ModelInput input, string says) =>
        Assert.Contains(says, Assert.Throws<TensorFileException>(() => Read(name, bytes, input)).Message);
}
