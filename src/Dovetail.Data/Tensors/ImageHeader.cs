using System.Buffers.Binary;
using System.IO.Compression;

namespace Dovetail.Data.Tensors;

/// <summary>
/// What a PNG or a JPEG says of itself, read before it is decoded: a decoder that believes a damaged file may loop, and one that believes a
/// hostile file may fill the memory.
/// 1. The size stands in PNG's IHDR and in JPEG's frame header; a caller refuses what does not fit its input.
/// 2. A PNG's data must inflate to what its size promises and no more. They are inflated once, a piece at a time.
/// 3. A JPEG's segments must end where their lengths say, up to the mark of its end.
/// Source: PNG (ISO/IEC 15948) sections 5 and 11; JPEG (ITU-T T.81) annex B.
/// </summary>
internal readonly record struct ImageHeader(int Width, int Height)
{
    private const int LargestSide = 1 << 16;

    private static ReadOnlySpan<byte> PngStart => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <param name="name">What messages call the file.</param>
    /// <param name="fits">Whether a picture of this size is wanted; its data are looked at only then.</param>
    /// <exception cref="TensorFileException">The file is cut short, or damaged.</exception>
    public static ImageHeader Read(byte[] file, string name, Func<ImageHeader, bool> fits)
    {
        bool isPng = file is [0x89, ..];
        ImageHeader header = isPng ? Png(file, name) : Jpeg(file, name);
        if (header.Width is < 1 or > LargestSide || header.Height is < 1 or > LargestSide)
            throw Damaged(name, $"it says that it is {header.Width} × {header.Height} pixels");
        if (isPng && fits(header))
            CheckInflated(file, name, header);
        return header;
    }

    private static ImageHeader Png(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length < 33 || !file.StartsWith(PngStart) || !file[12..16].SequenceEqual("IHDR"u8))
            throw CutShort(name);
        return new ImageHeader(
            BinaryPrimitives.ReadInt32BigEndian(file[16..]), BinaryPrimitives.ReadInt32BigEndian(file[20..]));
    }

    private static void CheckInflated(byte[] file, string name, ImageHeader header)
    {
        int depth = file[24], channels = file[25] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        if (depth is not (1 or 2 or 4 or 8 or 16))
            throw Damaged(name, $"it has {depth} bits a channel");
        // rows with a byte of their own; interlaced pictures have up to twice the rows in seven passes
        long row = ((long)header.Width * channels * depth + 7) / 8 + 1, most = row * header.Height * (file[28] == 0 ? 1 : 2) + 7 * row;
        using var data = new MemoryStream();
        bool ends = false;
        for (long at = PngStart.Length; at + 12 <= file.Length;)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan((int)at));
            if (at + 12 + length > file.Length)
                throw CutShort(name);
            if (file.AsSpan((int)at + 4, 4).SequenceEqual("IDAT"u8))
                data.Write(file, (int)at + 8, (int)length);
            ends |= file.AsSpan((int)at + 4, 4).SequenceEqual("IEND"u8);
            at += 12 + length;
        }

        if (!ends)
            throw CutShort(name);

        data.Position = 0;
        using var inflated = new ZLibStream(data, CompressionMode.Decompress);
        var piece = new byte[1 << 16];
        try
        {
            for (long total = 0; inflated.Read(piece) is > 0 and var read;)
                if ((total += read) > most)
                    throw Damaged(name, $"its data inflate to more than the {most} bytes of {header.Width} × {header.Height} pixels");
        }
        catch (InvalidDataException error)
        {
            throw new TensorFileException($"'{name}' is a damaged PNG image: {error.Message} Copy it again.", error);
        }
    }

    private static ImageHeader Jpeg(ReadOnlySpan<byte> file, string name)
    {
        ImageHeader? size = null;
        int at = 2;
        while (true)
        {
            // a marker, perhaps behind data: FF and neither 00 (a byte of data) nor FF (fill) nor a restart
            while (at + 1 < file.Length && !(file[at] == 0xFF && file[at + 1] is not (0 or 0xFF or >= 0xD0 and <= 0xD7)))
                at++;
            if (at + 1 >= file.Length)
                throw CutShort(name);
            byte marker = file[at + 1];
            at += 2;
            if (marker == 0xD9)
                return size ?? throw Damaged(name, "it has no frame");
            if (marker is 0x01 or 0xD8)
                continue;
            if (at + 2 > file.Length || BinaryPrimitives.ReadUInt16BigEndian(file[at..]) is not (>= 2 and var length)
                || at + length > file.Length)
                throw CutShort(name);
            bool isFrame = marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);
            if (isFrame && length >= 7)
                size ??= new ImageHeader(
                    BinaryPrimitives.ReadUInt16BigEndian(file[(at + 5)..]), BinaryPrimitives.ReadUInt16BigEndian(file[(at + 3)..]));
            at += length;
        }
    }

    private static TensorFileException CutShort(string name) =>
        new($"'{name}' is not a whole PNG or JPEG image: it ends inside. It may be cut off: copy it again.");

    private static TensorFileException Damaged(string name, string what) =>
        new($"'{name}' is a damaged PNG or JPEG image: {what}. Copy it again.");
}
