using System.Runtime.InteropServices;
using Dovetail.Kernels;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dovetail.Runtime;

/// <summary>
/// Arrays as ONNX Runtime's tensors and back: float, double, Half, bool and integers of 8 to 64 bits, row-major.
/// </summary>
public static class TensorValues
{
    private static readonly Dictionary<TensorElementType, Type> s_types = new()
    {
        [TensorElementType.Float] = typeof(float),
        [TensorElementType.Double] = typeof(double),
        [TensorElementType.Float16] = typeof(Half),
        [TensorElementType.UInt8] = typeof(byte),
        [TensorElementType.Int8] = typeof(sbyte),
        [TensorElementType.UInt16] = typeof(ushort),
        [TensorElementType.Int16] = typeof(short),
        [TensorElementType.UInt32] = typeof(uint),
        [TensorElementType.Int32] = typeof(int),
        [TensorElementType.UInt64] = typeof(ulong),
        [TensorElementType.Int64] = typeof(long),
        [TensorElementType.Bool] = typeof(bool),
    };

    /// <summary>The type of one element here; null for a type that has none, strings say.</summary>
    public static Type? FindType(TensorElementType type) => s_types.GetValueOrDefault(type);

    /// <summary>A tensor over a copy of the elements.</summary>
    /// <exception cref="OperatorException">The elements are of another type, or not as many as the shape says.</exception>
    public static OrtValue Create(Array values, ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(values);
        Type clr = values.GetType().GetElementType()!;
        if (!s_types.ContainsValue(clr))
            throw new OperatorException($"Elements of type {clr.Name} are no tensor's, expected one of "
                + $"{string.Join(", ", s_types.Values.Select(type => type.Name))}.");
        TensorElementType type = s_types.First(entry => entry.Value == clr).Key;
        long count = 1;
        foreach (long dimension in shape)
            count = checked(count * dimension);
        if (count != values.LongLength)
            throw new OperatorException(
                $"{values.LongLength} elements do not fill [{string.Join(", ", shape.ToArray())}], expected {count}.");
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, shape.ToArray());
        Span<byte> target = value.GetTensorMutableRawData();
        MemoryMarshal.CreateReadOnlySpan(ref MemoryMarshal.GetArrayDataReference(values), target.Length).CopyTo(target);
        return value;
    }

    /// <summary>The elements of a tensor.</summary>
    /// <param name="name">How messages call it.</param>
    /// <exception cref="OperatorException">It is no tensor, or one of strings.</exception>
    public static (Array Values, long[] Shape) Read(string name, OrtValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!value.IsTensor)
            throw new OperatorException($"'{name}' is no tensor but a {value.OnnxType}.");
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        Type type = FindType(info.ElementDataType) ?? throw new OperatorException(
            $"'{name}' has elements of type {info.ElementDataType}, expected one of {string.Join(", ", s_types.Keys)}.");
        Array values = Array.CreateInstance(type, info.ElementCount);
        Span<byte> source = value.GetTensorMutableRawData();
        source.CopyTo(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), source.Length));
        return (values, info.Shape);
    }
}
