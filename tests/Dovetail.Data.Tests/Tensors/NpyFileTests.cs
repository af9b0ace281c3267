using System.Buffers.Binary;
using System.Text;
using Dovetail.Data.Tensors;

namespace Dovetail.Data.Tests.Tensors;

/// <summary>.npy files against bytes made by hand after NumPy's format description.</summary>
public sealed class NpyFileTests
{
    [Fact]
    public void A_version_1_file_of_floats_is_read()
    {
        FileTensor tensor = NpyFile.Parse(
            File("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", Floats(1, -2, 0.5f, 3, 4, 5)), "x.npy");
        Assert.Equal([2, 3], tensor.Shape);
        Assert.Equal([1, -2, 0.5f, 3, 4, 5], Assert.IsType<float[]>(tensor.Values));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Later_versions_have_a_longer_length(int version)
    {
        FileTensor tensor = NpyFile.Parse(File("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", [7, 8, 9], version), "x.npy");
        Assert.Equal([7, 8, 9], Assert.IsType<byte[]>(tensor.Values));
    }

    /// <summary>What other writers may do: other quotes, order and spaces; a scalar; no elements.</summary>
    [Theory]
    [InlineData("""{"shape": (), "descr": "<i8", "fortran_order": False}""", new long[0], 1)]
    [InlineData("{ 'fortran_order' : False , 'shape':(0, 5),'descr':'<i8' }", new long[] { 0, 5 }, 0)]
    [InlineData("{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1, 2,), }", new long[] { 1, 1, 2 }, 2)]
    public void Headers_of_other_writers(string header, long[] shape, int count)
    {
        var data = new byte[8 * count];
        for (int i = 0; i < count; i++)
            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(8 * i), -i - 1);
        FileTensor tensor = NpyFile.Parse(File(header, data), "x.npy");
        Assert.Equal(shape, tensor.Shape);
        Assert.Equal(Enumerable.Range(0, count).Select(i => -i - 1L), Assert.IsType<long[]>(tensor.Values));
    }

    [Theory]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "'<c8', expected one of <f4, <f8")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4, "'>f4'")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 4, "Fortran order")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 4, "holds 4 bytes of elements, and its shape asks for 8")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 5, "something follows the elements")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 4, "more than")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 4, "expected a dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, "expected a dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1), }", 4, "expected a dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", 4, "expected a dictionary")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4, "expected a dictionary")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "expected a dictionary")]
    [InlineData("__import__('os')", 4, "expected a dictionary")]
    public void Files_that_are_refused(string header, int bytes, string says)
    {
        var error = Assert.Throws<TensorFileException>(() => NpyFile.Parse(File(header, new byte[bytes]), "x.npy"));
        Assert.Contains(says, error.Message);
        Assert.StartsWith("x.npy ", error.Message);
    }

    [Fact]
    public void Every_cut_of_a_file_is_refused()
    {
        byte[] whole = NpyFile.ToBytes(new FileTensor(new float[] { 1, 2 }, [2]));
        for (int length = 0; length < whole.Length; length++)
            Assert.Throws<TensorFileException>(() => NpyFile.Parse(whole.AsSpan(0, length), "x.npy"));
    }

    [Fact]
    public void Unknown_versions_are_refused()
    {
        byte[] file = File("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", new byte[4]);
        file[6] = 4;
        Assert.Contains("version 4.0", Assert.Throws<TensorFileException>(() => NpyFile.Parse(file, "x.npy")).Message);
    }

    [Fact]
    public void Written_bytes_are_those_that_NumPy_writes()
    {
        // numpy.save of numpy.array([1, 2, 255], dtype='uint8')
        const string Text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
        byte[] file = NpyFile.ToBytes(new FileTensor(new byte[] { 1, 2, 255 }, [3]));
        Assert.Equal([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 0x76, 0], file[..10]);
        Assert.Equal(Text.PadRight(0x75) + "\n", Encoding.ASCII.GetString(file, 10, 0x76));
        Assert.Equal([1, 2, 255], file[128..]);
    }

    [Theory]
    [InlineData(new long[0])]
    [InlineData(new long[] { 3 })]
    [InlineData(new long[] { 2, 3, 4, 5 })]
    [InlineData(new long[] { 4, 0 })]
    public void What_is_written_is_read(long[] shape)
    {
        var random = new Random(5);
        long count = shape.Aggregate(1L, (a, b) => a * b);
        float[] floats = [.. Enumerable.Range(0, (int)count).Select(_ => BitConverter.Int32BitsToSingle(random.Next()))]; // NaNs too
        FileTensor back = NpyFile.Parse(NpyFile.ToBytes(new FileTensor(floats, shape)), "x.npy");
        Assert.Equal(shape, back.Shape);
        Assert.Equal(floats.Select(BitConverter.SingleToInt32Bits), ((float[])back.Values).Select(BitConverter.SingleToInt32Bits));
        var bytes = new byte[count];
        random.NextBytes(bytes);
        Assert.Equal(bytes, NpyFile.Parse(NpyFile.ToBytes(new FileTensor(bytes, shape)), "x.npy").Values);
        long[] longs = [.. bytes.Select(b => (long)b << 50)];
        Assert.Equal(longs, NpyFile.Parse(NpyFile.ToBytes(new FileTensor(longs, shape)), "x.npy").Values);
    }

    private static byte[] Floats(params float[] values)
    {
        var bytes = new byte[4 * values.Length];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), values[i]);
        return bytes;
    }

    private static byte[] File(string header, byte[] data, int version = 1)
    {
        byte[] text = Encoding.ASCII.GetBytes(header + "   \n");
        byte[] length = new byte[version == 1 ? 2 : 4];
        length[0] = (byte)text.Length;
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. text, .. data];
    }
}
