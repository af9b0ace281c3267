using System.Buffers.Binary;
using System.IO.Compression;
using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Tests.Reports;

public sealed class MaskTests
{
    [Theory]
    [InlineData("1:16", 64, 9)]
    [InlineData("4:64", 64, 9)]
    [InlineData("1:16", 40, 9)]
    [InlineData("1:8/out", 32, 9)]
    [InlineData("2:16@strided", 48, 9)]
    [InlineData("1:16x2", 64, 1)]
    public void Cells_of_a_projected_mask_are_all_exact(string pattern, int channels, int taps)
    {
        MaskPicture mask = ResultFixture.Mask("layer", 32, channels, taps, pattern);
        var grid = new MaskGrid(mask, taps == 9 ? $"32×{channels}×3×3" : $"32×{channels}");
        Assert.Equal(grid.Layout!.CellCount, grid.WholeCells);
        Assert.Equal(grid.WholeCells, grid.ExactCells);
        Assert.Equal(channels, grid.Layout.Shape.Channels);
    }

    [Fact]
    public void Shape_is_read_as_it_prints_itself()
    {
        foreach (WeightShape shape in (WeightShape[])[new([32, 16, 3, 3]), new([32, 16, 3, 3], groups: 4), WeightShape.Matrix(32, 144)])
        {
            var grid = new MaskGrid(ResultFixture.Mask("layer", 32, 16, 9, "1:16"), shape.ToString());
            Assert.Equal(shape.ToString(), grid.Layout!.Shape.ToString());
        }
    }

    [Fact]
    public void Broken_cell_is_counted()
    {
        MaskPicture mask = ResultFixture.Mask("layer", 32, 64, 9, "1:16");
        byte[] bits = Convert.FromBase64String(mask.BitsBase64);
        bits[0] = 0xFF;
        var grid = new MaskGrid(mask with { BitsBase64 = Convert.ToBase64String(bits) }, "[32, 64, 3, 3]");
        Assert.Equal(grid.WholeCells - 1, grid.ExactCells);
        CodesignResult full = ResultFixture.Full();
        string html = HtmlReport.Render(
            full with
            {
                Mask = full.Mask with
                {
                    BitsBase64 = Convert.ToBase64String(
                bits.Concat(Convert.FromBase64String(full.Mask.BitsBase64).Skip(bits.Length)).ToArray())
                }
            });
        Assert.Contains("the rest do not", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Part_of_a_layer_counts_whole_cells_only()
    {
        MaskPicture whole = ResultFixture.Mask("layer", 8, 64, 1, "1:16");
        byte[] bits = Convert.FromBase64String(whole.BitsBase64);
        byte[] part = [.. Enumerable.Range(0, 4).SelectMany(row => bits.Skip(row * 8).Take(5))];
        var grid = new MaskGrid(whole with { Rows = 4, Columns = 40, BitsBase64 = Convert.ToBase64String(part) }, "[8, 64]");
        Assert.Equal(4 * 2, grid.WholeCells);
        Assert.Equal(grid.WholeCells, grid.ExactCells);
    }

    [Theory]
    [InlineData(64, 64, "AAAA")]
    [InlineData(64, 577, null)]
    [InlineData(64, 64, "not base64!")]
    public void Picture_that_does_not_fit_is_refused(int rows, int columns, string? bits)
    {
        MaskPicture mask = ResultFixture.Full().Mask;
        ReportException error = Assert.Throws<ReportException>(() =>
            new MaskGrid(mask with { Rows = rows, Columns = columns, BitsBase64 = bits ?? mask.BitsBase64 }, null));
        Assert.Contains("conv3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_pattern_still_gives_a_picture()
    {
        var grid = new MaskGrid(ResultFixture.Full().Mask with { Pattern = "block 4x4" }, null);
        Assert.Null(grid.Pattern);
        Assert.Equal(0, grid.WholeCells);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(8, 5)]
    [InlineData(577, 64)]
    public void Png_holds_the_pixels(int width, int height)
    {
        var random = new Random(width);
        var pixels = new bool[height, width];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                pixels[y, x] = random.Next(4) == 0;
        byte[] png = Png.Bitmap(width, height, (y, x) => pixels[y, x], (1, 2, 3));

        Assert.Equal((byte[])[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], png[..8]);
        var chunks = new Dictionary<string, byte[]>();
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            Assert.Equal(SlowCrc(png.AsSpan(at + 4, 4 + length)), BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at + 8 + length)));
            chunks.Add(System.Text.Encoding.ASCII.GetString(png, at + 4, 4), png[(at + 8)..(at + 8 + length)]);
            at += 12 + length;
        }

        Assert.Equal(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"], chunks.Keys);
        Assert.Equal(width, BinaryPrimitives.ReadInt32BigEndian(chunks["IHDR"]));
        Assert.Equal(height, BinaryPrimitives.ReadInt32BigEndian(chunks["IHDR"].AsSpan(4)));
        using var zlib = new ZLibStream(new MemoryStream(chunks["IDAT"]), CompressionMode.Decompress);
        var data = new MemoryStream();
        zlib.CopyTo(data);
        int stride = 1 + (width + 7) / 8;
        Assert.Equal(stride * height, data.Length);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                Assert.Equal(pixels[y, x], (data.GetBuffer()[y * stride + 1 + x / 8] & 0x80 >> x % 8) != 0);
    }

    // bit by bit, from the definition: the check value of "123456789" is CBF43926
    private static uint SlowCrc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
            for (int bit = 0; bit < 8; bit++)
                crc = ((crc ^ (uint)(b >> bit)) & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        return ~crc;
    }

    [Fact]
    public void Crc_oracle_has_the_published_check_value() => Assert.Equal(0xCBF43926u, SlowCrc("123456789"u8));

    [Fact]
    public void Strided_report_outlines_one_cell()
    {
        MaskPicture mask = ResultFixture.Mask("layer", 16, 64, 1, "1:16@strided");
        var grid = new MaskGrid(mask, null);
        Assert.Equal(Arrangement.Strided, grid.Pattern!.Arrangement);
        string crop = MaskImages.Crop(grid, 16, 64).ToString();
        string outline = crop[crop.IndexOf("class=\"cells\"", StringComparison.Ordinal)..];
        Assert.Equal(16, outline.Count(c => c == 'z'));
    }
}
