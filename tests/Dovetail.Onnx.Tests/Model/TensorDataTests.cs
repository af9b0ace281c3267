using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Tests.Model;

public sealed class TensorDataTests
{
    [Fact]
    public void Every_type_reads_back_from_raw_data()
    {
        Check<float>([1.5f, -2, float.MaxValue]);
        Check<double>([1.5, -2, 1e300]);
        Check<Half>([(Half)1.5f, (Half)(-2), Half.MaxValue]);
        Check<sbyte>([-128, 0, 127]);
        Check<byte>([0, 1, 255]);
        Check<short>([short.MinValue, 0, short.MaxValue]);
        Check<int>([int.MinValue, 0, int.MaxValue]);
        Check<long>([long.MinValue, 0, long.MaxValue]);

        static void Check<T>(T[] values)
            where T : unmanaged
        {
            TensorProto tensor = TensorData.Create<T>("t", [values.Length], values);
            Assert.Equal(values, tensor.Read<T>());
        }
    }

    [Fact]
    public void Typed_fields_are_read_too()
    {
        Assert.Equal([1f, 2], Of(OnnxType.Float, t => t.FloatData = [1, 2]).Read<float>());
        Assert.Equal([-1L, 2], Of(OnnxType.Int64, t => t.Int64Data = [-1, 2]).Read<long>());
        Assert.Equal([1.0, 2], Of(OnnxType.Double, t => t.DoubleData = [1, 2]).Read<double>());
        Assert.Equal([(sbyte)-1, (sbyte)2], Of(OnnxType.Int8, t => t.Int32Data = [-1, 2]).Read<sbyte>());
        Assert.Equal([(byte)200, (byte)2], Of(OnnxType.UInt8, t => t.Int32Data = [200, 2]).Read<byte>());
        Assert.Equal([7, 2], Of(OnnxType.Int32, t => t.Int32Data = [7, 2]).Read<int>());
        Assert.Equal([(Half)1, (Half)2], Of(OnnxType.Float16, t => t.Int32Data = [0x3c00, 0x4000]).Read<Half>());
        Assert.Equal([1f, 2], Of(OnnxType.Float16, t => t.Int32Data = [0x3c00, 0x4000]).ToFloats());
        Assert.Equal([1f, 2], Of(OnnxType.BFloat16, t => t.Int32Data = [0x3f80, 0x4000]).ToFloats());
        Assert.Equal([3u, 2u], Of(OnnxType.UInt32, t => t.UInt64Data = [3, 2]).Read<uint>());
    }

    [Fact]
    public void Bfloat16_reads_from_raw_data() =>
        Assert.Equal([1f, -2], Of(OnnxType.BFloat16, t => t.RawData = [0x80, 0x3f, 0x00, 0xc0]).ToFloats());

    [Fact]
    public void Sizes_that_disagree_are_refused()
    {
        Assert.Contains("7 bytes", Assert.Throws<OnnxException>(() => Of(OnnxType.Float, t => t.RawData = new byte[7]).ToFloats()).Message);
        Assert.Contains(
            "3 elements", Assert.Throws<OnnxException>(() => Of(OnnxType.Float, t => t.FloatData = [1, 2, 3]).ToFloats()).Message);
        Assert.Contains("0 elements", Assert.Throws<OnnxException>(() => Of(OnnxType.Float, _ => { }).ToFloats()).Message);
        Assert.Contains("'t'", Assert.Throws<OnnxException>(() => Of(OnnxType.Float, t => t.FloatData = [1, 2]).Read<int>()).Message);
        Assert.Throws<OnnxException>(() => Of(OnnxType.Int64, t => t.Int32Data = [1, 2]).Read<long>());
        Assert.Throws<OnnxException>(() => Of(OnnxType.String, _ => { }).ToFloats());
        TensorProto huge = Of(OnnxType.Float, t => t.Dims.AddRange([1L << 40, 1L << 40]));
        Assert.Throws<OnnxException>(() => huge.ElementCount());
        TensorProto negative = Of(OnnxType.Float, t => t.Dims.Add(-1));
        Assert.Throws<OnnxException>(() => negative.ElementCount());
    }

    private static TensorProto Of(OnnxType type, Action<TensorProto> fill)
    {
        var tensor = new TensorProto { Name = "t", DataType = type, Dims = { 2 } };
        fill(tensor);
        return tensor;
    }
}
