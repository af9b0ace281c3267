using System.Buffers.Binary;

namespace Dovetail.Core.Packing;

/// <summary>
/// Owners as they stand in a file: ⌈log2 group⌉ bits each, in little bit order (bit 0 of byte 0 is bit 0
/// of the first owner), each row padded to a byte with zeros.
/// </summary>
public static class OwnerCodec
{
    /// <summary>Bytes of one encoded row.</summary>
    /// <exception cref="PackingException">Negative columns, bits beyond 8, or a row over 2^31 − 1 bytes.</exception>
    public static int RowBytes(int columns, int indexBits)
    {
        if (columns < 0 || indexBits is < 0 or > 8)
            throw new PackingException($"A row of {columns} owners of {indexBits} bits was asked for; expected owners of 0 to 8 bits.");
        return (int)(((long)columns * indexBits + 7) / 8);
    }

    /// <param name="owners">[rows, columns], one owner a byte.</param>
    /// <returns>[rows, RowBytes].</returns>
    /// <exception cref="PackingException">The length is wrong, or an owner does not fit its bits.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> owners, int rows, int columns, int indexBits)
    {
        int rowBytes = RowBytes(columns, indexBits);
        if (owners.Length != (long)rows * columns)
            throw new PackingException($"{owners.Length} owners were given, expected {(long)rows * columns}: {rows} rows of {columns}.");
        int limit = 1 << indexBits;
        if (limit <= byte.MaxValue && owners.IndexOfAnyInRange((byte)limit, byte.MaxValue) is >= 0 and int bad)
            throw new PackingException($"Owner {bad % columns} of row {bad / columns} is {owners[bad]}, expected less than {limit}: it has "
                + $"{indexBits} bits.");
        var encoded = new byte[rows * rowBytes]; // no more than the owners, so no overflow
        if (indexBits == 0)
            return encoded;
        for (int row = 0; row < rows; row++)
            EncodeRow(owners.Slice(row * columns, columns), encoded.AsSpan(row * rowBytes, rowBytes), indexBits);
        return encoded;
    }

    /// <summary>The inverse of <see cref="Encode"/>. Owners are not compared with the group here.</summary>
    /// <exception cref="PackingException">The length is wrong, or a row's padding bits are not zero.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> encoded, int rows, int columns, int indexBits)
    {
        CheckLength(encoded, rows, columns, indexBits);
        if ((long)rows * columns > Array.MaxLength)
            throw new PackingException($"{rows} rows of {columns} owners are more than one tensor may hold here, {Array.MaxLength}.");
        byte[] owners = GC.AllocateUninitializedArray<byte>(rows * columns);
        Decode(encoded, owners, rows, columns, indexBits);
        return owners;
    }

    /// <summary>The same into a buffer of rows · columns bytes, whatever it held before.</summary>
    /// <exception cref="PackingException">A length is wrong, or a row's padding bits are not zero.</exception>
    public static void Decode(ReadOnlySpan<byte> encoded, Span<byte> owners, int rows, int columns, int indexBits) =>
        Decode(encoded, owners, rows, columns, indexBits, VectorUse.Best);

    internal static void Decode(ReadOnlySpan<byte> encoded, Span<byte> owners, int rows, int columns, int indexBits, VectorUse use)
    {
        CheckLength(encoded, rows, columns, indexBits);
        if (owners.Length != (long)rows * columns)
            throw new PackingException($"The buffer holds {owners.Length} owners, expected {(long)rows * columns}: {rows} rows of "
                + $"{columns}.");
        if (indexBits == 0)
        {
            owners.Clear();
            return;
        }

        var decoder = new OwnerDecoder(indexBits, use);
        int rowBytes = RowBytes(columns, indexBits), usedBits = (int)((long)columns * indexBits & 7);
        if (usedBits == 0)
        {
            decoder.Decode(encoded, owners); // no padding: all rows are one
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<byte> source = encoded.Slice(row * rowBytes, rowBytes);
            if (source[^1] >> usedBits != 0)
                throw new PackingException($"The padding bits behind the owners of row {row} are not zero; the file is damaged.");
            decoder.Decode(source, owners.Slice(row * columns, columns));
        }
    }

    private static void CheckLength(ReadOnlySpan<byte> encoded, int rows, int columns, int indexBits)
    {
        int rowBytes = RowBytes(columns, indexBits);
        if (encoded.Length != (long)rows * rowBytes)
            throw new PackingException($"The owners take {encoded.Length} bytes, expected {(long)rows * rowBytes}: {rows} rows of "
                + $"{columns} owners, {indexBits} bits each, padded to a byte.");
    }

    // Eight owners are exactly indexBits bytes, so a row is runs of eight and a tail.
    private static void EncodeRow(ReadOnlySpan<byte> owners, Span<byte> target, int indexBits)
    {
        Span<byte> word = stackalloc byte[8];
        while (!owners.IsEmpty)
        {
            int count = Math.Min(8, owners.Length);
            ulong bits = 0;
            for (int i = 0; i < count; i++)
                bits |= (ulong)owners[i] << (i * indexBits);
            BinaryPrimitives.WriteUInt64LittleEndian(word, bits);
            int bytes = (count * indexBits + 7) / 8;
            word[..bytes].CopyTo(target);
            owners = owners[count..];
            target = target[bytes..];
        }
    }
}
