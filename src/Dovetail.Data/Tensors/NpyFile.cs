using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Dovetail.Core.Files;

namespace Dovetail.Data.Tensors;

/// <summary>
/// NumPy's .npy files with elements of <see cref="ElementType"/>, little endian, C order.
/// 1. The bytes 93 "NUMPY", a major and a minor version.
/// 2. The header's length: 2 bytes in version 1, 4 bytes in versions 2 and 3, little endian.
/// 3. The header (<see cref="NpyHeader"/>), filled with spaces and ended by a newline, so that the data are aligned to 64.
/// 4. The elements, and nothing behind them.
/// Source: NumPy enhancement proposal 1, "A simple file format for NumPy arrays".
/// </summary>
public static class NpyFile
{
    private const int Alignment = 64, LargestHeader = 1 << 16;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    internal static bool IsNpy(ReadOnlySpan<byte> file) => file.StartsWith(Magic);

    /// <param name="name">What messages call the file.</param>
    /// <exception cref="TensorFileException">It is not such a file, cut short, or longer than its header says.</exception>
    public static FileTensor Parse(ReadOnlySpan<byte> file, string name)
    {
        if (!IsNpy(file))
            throw new TensorFileException($"{name} does not start with the bytes 93 'NUMPY'; expected a .npy file.");
        (NpyHeader header, int offset) = Header(file, name);
        if (header.IsFortranOrder)
            throw new TensorFileException($"{name} is in Fortran order, expected C order. Save it with numpy.ascontiguousarray.");
        long count = 1;
        foreach (long dimension in header.Shape)
            if ((count = dimension == 0 || count == 0
                ? 0 : count > Array.MaxLength / dimension
                ? long.MaxValue : count * dimension) > Array.MaxLength)
                throw new TensorFileException($"{name} has the shape [{string.Join(", ", header.Shape)}]: more than {Array.MaxLength} "
                    + "elements. The file is damaged.");
        ReadOnlySpan<byte> data = file[offset..];
        ElementType type = ElementType.Find(header.Descr) ?? throw new TensorFileException(
            $"{name} has elements of type '{header.Descr}', expected one of {string.Join(", ", ElementType.All.Select(one => one.Descr))}. "
            + "Convert them: array.astype('float32').");
        return new FileTensor(Elements(data, type, count, name), header.Shape);
    }

    /// <summary>Writes a tensor whole, under a temporary name first.</summary>
    public static void Write(string path, FileTensor tensor) => AtomicFile.WriteAllBytes(path, ToBytes(tensor));

    public static byte[] ToBytes(FileTensor tensor)
    {
        ElementType type = ElementType.Find(tensor.Values.GetType().GetElementType()!) ?? throw new TensorFileException(
            $"Elements of type {tensor.Values.GetType().GetElementType()!.Name} have no .npy form, expected one of "
            + $"{string.Join(", ", ElementType.All.Select(one => one.Name))}.");
        ReadOnlySpan<byte> data = Bytes(tensor.Values, type);
        string text = new NpyHeader(type.Descr, false, tensor.Shape).ToString();
        int start = Magic.Length + 4, length = (start + text.Length + 1 + Alignment - 1) / Alignment * Alignment - start;
        var file = new byte[start + length + data.Length];
        Magic.CopyTo(file);
        file[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), checked((ushort)length));
        Encoding.ASCII.GetBytes(text.PadRight(length - 1) + "\n", file.AsSpan(start));
        data.CopyTo(file.AsSpan(start + length));
        return file;
    }

    private static (NpyHeader Header, int DataOffset) Header(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length < 12)
            throw new TensorFileException($"{name} is cut short: {file.Length} bytes do not hold the header of a .npy file.");
        int version = file[6];
        if (version is not (1 or 2 or 3) || file[7] != 0)
            throw new TensorFileException($"{name} is .npy version {version}.{file[7]}, expected 1.0, 2.0 or 3.0.");
        int start = version == 1 ? 10 : 12;
        long length = version == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(file[8..])
            : BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (length > LargestHeader || start + length > file.Length)
            throw new TensorFileException($"{name} says that its header is {length} bytes long; the file has {file.Length}. It is cut "
                + "short or damaged.");
        string text = Encoding.UTF8.GetString(file.Slice(start, (int)length));
        return NpyHeader.Parse(text) is { } header
            ? (header, start + (int)length)
            : throw new TensorFileException($"{name} has the header '{text.Trim()[..Math.Min(text.Trim().Length, 120)]}', expected a "
                + "dictionary with descr, fortran_order and shape.");
    }

    private static Array Elements(ReadOnlySpan<byte> data, ElementType type, long count, string name)
    {
        long expected = count * (type.Descr[^1] - '0');
        if (data.Length != expected)
            throw new TensorFileException($"{name} holds {data.Length} bytes of elements, and its shape asks for {expected}. It is "
                + $"{(data.Length < expected ? "cut short" : "damaged: something follows the elements")}.");
        Array values = Array.CreateInstance(type.Clr, count);
        if (type.Clr == typeof(bool))
            for (int i = 0; i < data.Length; i++) // whatever byte stands there
                ((bool[])values)[i] = data[i] != 0;
        else
            data.CopyTo(Bytes(values, type));
        return values;
    }

    /// <summary>The elements' own memory.</summary>
    private static Span<byte> Bytes(Array values, ElementType type) =>
        MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), values.Length * (type.Descr[^1] - '0'));
}
