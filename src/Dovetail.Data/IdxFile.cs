using System.Buffers.Binary;
using System.IO.Compression;
using Dovetail.Core.Files;

namespace Dovetail.Data;

/// <summary>
/// Reads the IDX files of MNIST-like data sets, plain or gzipped: two zero bytes, the element type
/// (8: unsigned byte), the rank, then each dimension as a big-endian 32-bit number, then the bytes.
/// Source: Y. LeCun et al., "The MNIST database", file format section.
/// </summary>
internal static class IdxFile
{
    private const int UnsignedByte = 8, LargestRank = 4, LargestCount = 1 << 30;

    /// <summary>A gzipped file may inflate to this many bytes anyway, and beyond to this multiple of its own.</summary>
    private const long AlwaysInflated = 1 << 26, MostInflation = 64;

    /// <param name="path">The file; gzip is recognised by its first two bytes.</param>
    /// <param name="rank">The expected number of dimensions: 1 for labels, 3 for images.</param>
    /// <exception cref="DataException">The file is missing, not such a file, cut short, or longer than its header says.</exception>
    public static IdxArray Read(string path, int rank)
    {
        try
        {
            using FileStream file = UserFile.OpenRead(path);
            return Read(file, path, rank);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException($"{path} does not exist. Expected an IDX file, as it is or gzipped.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>As above, from a seekable stream.</summary>
    /// <param name="name">What messages call the file.</param>
    public static IdxArray Read(Stream stream, string name, int rank)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Span<byte> start = stackalloc byte[2];
        int read = stream.ReadAtLeast(start, 2, throwOnEndOfStream: false);
        stream.Seek(-read, SeekOrigin.Current);
        if (read == 2 && start[0] == 0x1f && start[1] == 0x8b)
        {
            using var unzipped = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
            try
            {
                return ReadPlain(unzipped, name, rank, Math.Max(AlwaysInflated, (stream.Length - stream.Position) * MostInflation));
            }
            catch (InvalidDataException error)
            {
                throw new DataException($"{name} is a damaged gzip file: {error.Message} Fetch it again.", error);
            }
        }

        return ReadPlain(stream, name, rank, stream.Length - stream.Position);
    }

    /// <param name="most">Bytes that the stream may give: its own, or a multiple of the gzipped ones.</param>
    private static IdxArray ReadPlain(Stream stream, string name, int rank, long most)
    {
        Span<byte> header = stackalloc byte[4 * (1 + LargestRank)];
        ReadHeader(stream, header[..4], name);
        if (header[0] != 0 || header[1] != 0 || header[2] != UnsignedByte || header[3] != rank)
            throw new DataException($"{name} starts with the bytes {Convert.ToHexString(header[..4])}, expected 000008{rank:x2}: an IDX "
                + $"file of unsigned bytes in {rank} dimension{(rank == 1 ? "" : "s")}.");
        ReadHeader(stream, header[4..(4 + 4 * rank)], name);
        var dimensions = new int[rank];
        long count = 1;
        for (int i = 0; i < rank; i++)
        {
            uint dimension = BinaryPrimitives.ReadUInt32BigEndian(header[(4 + 4 * i)..]);
            if (dimension > LargestCount || (count *= dimension) > LargestCount)
                throw new DataException($"{name} says that dimension {i} is {dimension}: more than {LargestCount} elements in all. The "
                    + "file is damaged or not an IDX file.");
            dimensions[i] = (int)dimension;
        }

        if (count > most)
            throw new DataException($"{name} says that it holds {string.Join('×', dimensions)} = {count} bytes, and at most {most} "
                + $"are read "
                + "of a file of its size. It is cut short, damaged, or packed beyond what data are.");
        var data = new byte[count];
        int read = stream.ReadAtLeast(data, data.Length, throwOnEndOfStream: false);
        if (read < count)
            throw new DataException($"{name} is cut short: it holds {read} of the {count} bytes that its dimensions "
                + $"{string.Join('×', dimensions)} ask for. Fetch it again.");
        if (stream.ReadByte() >= 0)
            throw new DataException($"{name} holds more than the {count} bytes that its dimensions {string.Join('×', dimensions)} ask for. "
                + "The file is damaged.");
        return new IdxArray(data, dimensions);
    }

    private static void ReadHeader(Stream stream, Span<byte> header, string name)
    {
        if (stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            throw new DataException($"{name} is cut short: it ends within its header. Expected an IDX file, as it is or gzipped.");
    }
}

/// <param name="Data">Row-major.</param>
/// <param name="Dimensions">The sizes, outermost first.</param>
internal sealed record IdxArray(byte[] Data, IReadOnlyList<int> Dimensions);
