using System.Runtime.InteropServices;
using Dovetail.Core.Packing;

namespace Dovetail.Onnx.Model;

/// <summary>
/// Between a <see cref="TensorProto"/> and arrays of its elements, whichever of ONNX's fields holds them.
/// Sizes are checked: every reader throws <see cref="OnnxException"/> where data and dims disagree.
/// </summary>
public static class TensorData
{
    /// <summary>The product of the dimensions; 1 for a scalar.</summary>
    public static long ElementCount(this TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        long count = 1;
        foreach (long dim in tensor.Dims)
        {
            if (dim < 0 || (dim > 0 && count > Array.MaxLength / dim))
                throw new OnnxException($"Tensor {tensor} has dimensions that are negative or multiply to more than {Array.MaxLength} "
                    + "elements.");
            count *= dim;
        }

        return count;
    }

    /// <summary>The dimensions as 32-bit numbers.</summary>
    public static int[] Shape(this TensorProto tensor)
    {
        ElementCount(tensor);
        return [.. tensor.Dims.Select(d => (int)d)];
    }

    /// <summary>The elements of a tensor whose type is exactly <typeparamref name="T"/> (see <see cref="TypeOf{T}"/>).</summary>
    public static T[] Read<T>(this TensorProto tensor)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.DataType != TypeOf<T>())
            throw new OnnxException($"Tensor {tensor} holds {tensor.DataType}, expected {TypeOf<T>()}.");
        return ReadElements<T>(tensor);
    }

    /// <summary>The elements of a floating-point tensor (float, fp16, bf16, double), as float.</summary>
    public static float[] ToFloats(this TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.DataType switch
        {
            OnnxType.Float => ReadElements<float>(tensor),
            OnnxType.Float16 => Array.ConvertAll(ReadElements<Half>(tensor), h => (float)h),
            OnnxType.BFloat16 => Array.ConvertAll(ReadElements<BFloat16>(tensor), value => value.ToSingle()),
            OnnxType.Double => Array.ConvertAll(ReadElements<double>(tensor), d => (float)d),
            _ => throw new OnnxException($"Tensor {tensor} holds {tensor.DataType}, expected float, fp16, bf16 or double."),
        };
    }

    /// <summary>The elements of an integer tensor (int8 … int64, uint8, bool), as long.</summary>
    public static long[] ToInt64s(this TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.DataType switch
        {
            OnnxType.Int64 => ReadElements<long>(tensor),
            OnnxType.Int32 => Array.ConvertAll(ReadElements<int>(tensor), v => (long)v),
            OnnxType.Int16 => Array.ConvertAll(ReadElements<short>(tensor), v => (long)v),
            OnnxType.Int8 => Array.ConvertAll(ReadElements<sbyte>(tensor), v => (long)v),
            OnnxType.UInt8 or OnnxType.Bool => Array.ConvertAll(ReadElements<byte>(tensor), v => (long)v),
            _ => throw new OnnxException($"Tensor {tensor} holds {tensor.DataType}, expected an integer type."),
        };
    }

    /// <summary>The elements as little-endian bytes, checked, whichever field holds them.</summary>
    internal static byte[] ReadBytes(this TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.DataType switch
        {
            OnnxType.Float => Bytes<float>(),
            OnnxType.Double => Bytes<double>(),
            OnnxType.Float16 or OnnxType.BFloat16 or OnnxType.UInt16 => Bytes<ushort>(),
            OnnxType.Int16 => Bytes<short>(),
            OnnxType.Int8 => Bytes<sbyte>(),
            OnnxType.UInt8 or OnnxType.Bool => Bytes<byte>(),
            OnnxType.Int32 => Bytes<int>(),
            OnnxType.UInt32 => Bytes<uint>(),
            OnnxType.Int64 => Bytes<long>(),
            OnnxType.UInt64 => Bytes<ulong>(),
            _ => throw new OnnxException($"Tensor {tensor} holds {tensor.DataType}, expected a number type or bool."),
        };

        byte[] Bytes<T>()
            where T : unmanaged
        {
            byte[] bytes = MemoryMarshal.AsBytes(ReadElements<T>(tensor).AsSpan()).ToArray();
            SwapIfBigEndian<T>(bytes);
            return bytes;
        }
    }

    /// <summary>Replaces the elements of a floating-point tensor, rounded to its type; the dimensions stay.</summary>
    internal static void WriteFloats(this TensorProto tensor, float[] values)
    {
        switch (tensor.DataType)
        {
            case OnnxType.Float16:
                tensor.Write<Half>(Array.ConvertAll(values, value => (Half)value));
                break;
            case OnnxType.BFloat16:
                tensor.Write<BFloat16>(Array.ConvertAll(values, value => (BFloat16)value));
                break;
            case OnnxType.Double:
                tensor.Write<double>(Array.ConvertAll(values, value => (double)value));
                break;
            default:
                tensor.Write<float>(values);
                break;
        }
    }

    /// <summary>A tensor with its elements in raw_data. T is float, Half, BFloat16, double, sbyte, byte, short, int or long.</summary>
    public static TensorProto Create<T>(string name, ReadOnlySpan<long> dims, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var tensor = new TensorProto { Name = name };
        foreach (long dim in dims)
            tensor.Dims.Add(dim);
        tensor.Write(values);
        return tensor;
    }

    /// <summary>A tensor of rank 0.</summary>
    public static TensorProto Scalar<T>(string name, T value)
        where T : unmanaged => Create<T>(name, [], [value]);

    /// <summary>Replaces the elements (and the element type); the dimensions stay.</summary>
    public static void Write<T>(this TensorProto tensor, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (values.Length != ElementCount(tensor))
            throw new OnnxException($"{values.Length} elements were given for tensor {tensor}, expected {ElementCount(tensor)}.");
        tensor.DataType = TypeOf<T>();
        (tensor.FloatData, tensor.Int32Data, tensor.Int64Data, tensor.DoubleData, tensor.UInt64Data) = (null, null, null, null, null);
        tensor.ExternalData.Clear();
        tensor.DataLocation = 0;
        var raw = new byte[values.Length * Marshal.SizeOf<T>()];
        MemoryMarshal.AsBytes(values).CopyTo(raw);
        SwapIfBigEndian<T>(raw);
        tensor.RawData = raw;
    }

    /// <summary>ONNX's name of a C# element type.</summary>
    public static OnnxType TypeOf<T>()
        where T : unmanaged => default(T) switch
        {
            float => OnnxType.Float,
            Half => OnnxType.Float16,
            BFloat16 => OnnxType.BFloat16,
            double => OnnxType.Double,
            sbyte => OnnxType.Int8,
            byte => OnnxType.UInt8,
            short => OnnxType.Int16,
            ushort => OnnxType.UInt16,
            int => OnnxType.Int32,
            uint => OnnxType.UInt32,
            long => OnnxType.Int64,
            ulong => OnnxType.UInt64,
            _ => throw new NotSupportedException($"ONNX tensors of {typeof(T).Name}."),
        };

    /// <summary>Bytes of one element.</summary>
    public static int ElementBytes(OnnxType type) => type switch
    {
        OnnxType.UInt8 or OnnxType.Int8 or OnnxType.Bool => 1,
        OnnxType.UInt16 or OnnxType.Int16 or OnnxType.Float16 or OnnxType.BFloat16 => 2,
        OnnxType.Float or OnnxType.Int32 or OnnxType.UInt32 => 4,
        OnnxType.Double or OnnxType.Int64 or OnnxType.UInt64 or OnnxType.Complex64 => 8,
        OnnxType.Complex128 => 16,
        _ => throw new OnnxException($"Tensors of type {type} have no fixed element size; expected a numeric type."),
    };

    private static T[] ReadElements<T>(TensorProto tensor)
        where T : unmanaged
    {
        long count = ElementCount(tensor);
        if (tensor.DataLocation != 0)
            throw new OnnxException($"Tensor {tensor} stands in a file of its own; load the model by its path, so that the file can "
                + "be found.");
        if (tensor.RawData is { } raw)
        {
            int size = ElementBytes(tensor.DataType);
            if (raw.Length != count * size)
                throw new OnnxException($"Tensor {tensor} has {raw.Length} bytes of data, expected {count * size}: {count} elements of "
                    + $"{size} bytes. The file is damaged.");
            T[] elements = MemoryMarshal.Cast<byte, T>(raw).ToArray();
            SwapIfBigEndian<T>(MemoryMarshal.AsBytes(elements.AsSpan()));
            return elements;
        }

        Array? typed = tensor.DataType switch
        {
            OnnxType.Float => tensor.FloatData,
            OnnxType.Double => tensor.DoubleData,
            OnnxType.Int64 => tensor.Int64Data,
            OnnxType.UInt32 or OnnxType.UInt64 => tensor.UInt64Data,
            _ => tensor.Int32Data,
        };
        if ((typed?.Length ?? 0) != count)
            throw new OnnxException($"Tensor {tensor} has {typed?.Length ?? 0} elements of data, expected {count}. The file is damaged.");
        return typed switch
        {
            null => [],
            T[] same => (T[])same.Clone(),
            int[] ints => Array.ConvertAll(ints, NarrowInt32<T>),
            ulong[] ulongs => Array.ConvertAll(ulongs, v => (T)(object)(uint)v),
            _ => throw new OnnxException($"Tensor {tensor} keeps its data in a field of another type. The file is damaged."),
        };
    }

    // int32_data also carries the narrow types; 16-bit floats stand in it as their bits.
    private static T NarrowInt32<T>(int value)
        where T : unmanaged => default(T) switch
        {
            sbyte => (T)(object)(sbyte)value,
            byte => (T)(object)(byte)value,
            short => (T)(object)(short)value,
            ushort => (T)(object)(ushort)value,
            Half => (T)(object)BitConverter.UInt16BitsToHalf((ushort)value),
            BFloat16 => (T)(object)BFloat16.FromBits((ushort)value),
            _ => (T)(object)value,
        };

    private static void SwapIfBigEndian<T>(Span<byte> bytes)
        where T : unmanaged
    {
        if (BitConverter.IsLittleEndian)
            return;
        int size = Marshal.SizeOf<T>();
        for (int i = 0; size > 1 && i < bytes.Length; i += size)
            bytes.Slice(i, size).Reverse();
    }
}
