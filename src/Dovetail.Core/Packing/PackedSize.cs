using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>Bytes of packed weights in a file, to the byte, without packing them; headers and alignment are not counted.</summary>
/// <param name="ValueBytes">Values with the padding of tail cells.</param>
/// <param name="OwnerBytes">Owners, each row padded to a byte.</param>
/// <param name="ScaleBytes">int8: a float an output.</param>
/// <param name="DenseBytes">The dense weights in the same element type, without scales.</param>
public sealed record PackedSize(long ValueBytes, long OwnerBytes, long ScaleBytes, long DenseBytes)
{
    public long TotalBytes => ValueBytes + OwnerBytes + ScaleBytes;

    /// <summary>Dense over packed: 14 is fourteen times smaller.</summary>
    public double Ratio => (double)DenseBytes / TotalBytes;

    /// <param name="scales">Whether a scale for each output stands beside the values.</param>
    public static PackedSize Of(CellLayout layout, DType type, bool scales = false)
    {
        ArgumentNullException.ThrowIfNull(layout);
        int element = ElementBytes(type);
        return new PackedSize(
            (long)layout.ValueCount * element,
            (long)layout.OwnerRows * OwnerCodec.RowBytes(layout.OwnerColumns, layout.Pattern.IndexBits),
            scales ? 4L * layout.Shape.Outputs : 0,
            (long)layout.Shape.Count * element);
    }

    /// <summary>Bytes of one value.</summary>
    public static int ElementBytes(DType type) => type switch
    {
        DType.Float32 => 4,
        DType.Float16 or DType.BFloat16 => 2,
        DType.Int8 => 1,
        _ => throw new PackingException($"There is no element type {(int)type}, expected one of "
            + $"{string.Join(", ", Enum.GetNames<DType>())}."),
    };
}
