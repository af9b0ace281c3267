namespace Dovetail.Core.Packing;

/// <summary>
/// Owners as they stand in a file: ⌈log2 group⌉ bits each, in little bit order (bit 0 of byte 0 is bit 0
/// of the first owner), each row padded to a byte with zeros.
/// </summary>
public static class OwnerCodec
{
    /// <summary>Bytes of one encoded row.</summary>
    public static int RowBytes(int columns, int indexBits) => checked((int)(((long)columns * indexBits + 7) / 8));

    /// <param name="owners">[rows, columns], one owner a byte.</param>
    /// <returns>[rows, RowBytes].</returns>
    public static byte[] Encode(ReadOnlySpan<byte> owners, int rows, int columns, int indexBits)
    {
        int rowBytes = RowBytes(columns, indexBits);
        var encoded = new byte[checked(rows * rowBytes)];
        if (indexBits == 0)
            return encoded;
        for (int row = 0; row < rows; row++)
        {
            Span<byte> target = encoded.AsSpan(row * rowBytes, rowBytes);
            ReadOnlySpan<byte> source = owners.Slice(row * columns, columns);
            for (int column = 0, bit = 0; column < columns; column++, bit += indexBits)
            {
                int shifted = source[column] << (bit & 7);
                target[bit >> 3] |= (byte)shifted;
                if ((bit & 7) + indexBits > 8)
                    target[(bit >> 3) + 1] |= (byte)(shifted >> 8);
            }
        }

        return encoded;
    }

    /// <summary>The inverse of <see cref="Encode"/>. Owners are not compared with the group here.</summary>
    /// <exception cref="PackingException">The length is wrong, or a row's padding bits are not zero.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> encoded, int rows, int columns, int indexBits)
    {
        int rowBytes = RowBytes(columns, indexBits);
        if (encoded.Length != (long)rows * rowBytes)
            throw new PackingException($"The owners take {encoded.Length} bytes, expected {(long)rows * rowBytes}: {rows} rows of {columns} owners, {indexBits} bits each, padded to a byte.");
        var owners = new byte[checked(rows * columns)];
        if (indexBits == 0)
            return owners;
        int mask = (1 << indexBits) - 1;
        int usedBits = (columns * indexBits) & 7;
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<byte> source = encoded.Slice(row * rowBytes, rowBytes);
            if (usedBits != 0 && source[^1] >> usedBits != 0)
                throw new PackingException($"The padding bits behind the owners of row {row} are not zero; the file is damaged.");
            Span<byte> target = owners.AsSpan(row * columns, columns);
            for (int column = 0, bit = 0; column < columns; column++, bit += indexBits)
            {
                int word = source[bit >> 3];
                if ((bit & 7) + indexBits > 8)
                    word |= source[(bit >> 3) + 1] << 8;
                target[column] = (byte)(word >> (bit & 7) & mask);
            }
        }

        return owners;
    }
}
