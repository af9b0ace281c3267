using System.Collections.Immutable;

namespace Dovetail.Core.Safetensors;

/// <summary>A tensor's entry in the header of a safetensors file.</summary>
/// <param name="Name">Any text except "__metadata__".</param>
/// <param name="Shape">Empty for a scalar; a dimension may be 0.</param>
/// <param name="Begin">Bytes from the start of the data section.</param>
/// <param name="End">First byte behind the tensor; End − Begin is the size of shape × element.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsDType DType, ImmutableArray<long> Shape, long Begin, long End)
{
    /// <summary>Prefix of the U8 tensors that a strict writer puts between others to align them; readers skip them.</summary>
    internal const string PaddingPrefix = "__pad__.";

    public long ByteCount => End - Begin;

    /// <summary>True for the bytes that only align the next tensor.</summary>
    public bool IsPadding => DType == SafetensorsDType.U8 && Name.StartsWith(PaddingPrefix, StringComparison.Ordinal);

    /// <summary>Bytes of a tensor of a shape; null where the product overflows 2^63 − 1 bits or is no whole number of bytes.</summary>
    internal static long? SizeOf(SafetensorsDType type, ReadOnlySpan<long> shape)
    {
        UInt128 bits = 1;
        foreach (long dimension in shape)
        {
            bits *= (ulong)dimension;
            if (bits > long.MaxValue)
                return null;
        }

        bits *= (ulong)type.BitCount();
        return bits <= long.MaxValue && bits % 8 == 0 ? (long)(bits / 8) : null;
    }

    internal static string Format(ReadOnlySpan<long> shape)
    {
        const int Shown = 16;
        string tail = shape.Length > Shown ? $", ... {shape.Length} dimensions" : "";
        return $"[{string.Join(", ", shape[..Math.Min(shape.Length, Shown)].ToArray())}{tail}]";
    }
}
