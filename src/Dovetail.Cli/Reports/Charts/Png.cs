using System.Buffers.Binary;
using System.IO.Compression;

namespace Dovetail.Cli.Reports.Charts;

/// <summary>
/// A two-colour PNG: ink on a clear ground, one bit a pixel.
/// 1. Signature, then chunks: length (big endian), type, data, CRC-32 of type and data.
/// 2. IHDR: width, height, depth 1, colour type 3 (palette); PLTE: ground and ink; tRNS: the ground is clear.
/// 3. IDAT: zlib of the rows, each a filter byte 0 and then pixels from the highest bit down.
/// Source: PNG specification, third edition (W3C 2025), sections 5, 7, 11.
/// </summary>
internal static class Png
{
    private static readonly uint[] CrcTable = MakeCrcTable();

    public static byte[] Bitmap(int width, int height, Func<int, int, bool> isInk, (byte Red, byte Green, byte Blue) ink)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (1, 3);
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "PLTE"u8, [0xFF, 0xFF, 0xFF, ink.Red, ink.Green, ink.Blue]);
        WriteChunk(file, "tRNS"u8, [0, 0xFF]);
        WriteChunk(file, "IDAT"u8, Pixels(width, height, isInk));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Pixels(int width, int height, Func<int, int, bool> isInk)
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var line = new byte[1 + (width + 7) / 8];
            for (int row = 0; row < height; row++)
            {
                Array.Clear(line);
                for (int column = 0; column < width; column++)
                    if (isInk(row, column))
                        line[1 + column / 8] |= (byte)(0x80 >> (column % 8));
                zlib.Write(line);
            }
        }

        return data.ToArray();
    }

    private static void WriteChunk(Stream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(uint.MaxValue, type), data));
        file.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
            crc = CrcTable[(crc ^ b) & 0xFF] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint n = 0; n < table.Length; n++)
        {
            uint c = n;
            for (int bit = 0; bit < 8; bit++)
                c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[n] = c;
        }

        return table;
    }
}
