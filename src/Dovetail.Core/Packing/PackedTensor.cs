using System.Runtime.InteropServices;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// The weights of one layer, packed: a dense matrix of values and the owner of each slot.
/// Owners of a cell's used slots ascend strictly; padding slots (tail cells) have owner 0 and value 0.
/// </summary>
public abstract class PackedTensor
{
    private protected PackedTensor(CellLayout layout, byte[] owners, float[]? scales)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(owners);
        if (owners.Length != layout.OwnerCount)
            throw new PackingException($"{owners.Length} owners were given for pattern {layout.Pattern} on {layout.Shape}, expected "
                + $"{layout.OwnerCount}.");
        if (scales is not null && scales.Length != layout.Shape.Outputs)
            throw new PackingException($"{scales.Length} scales were given for {layout.Shape.Outputs} outputs, expected one an output.");
        (Layout, Owners, Scales) = (layout, owners, scales);
        CheckOwners();
    }

    public CellLayout Layout { get; }

    public ComplementaryPattern Pattern => Layout.Pattern;

    public WeightShape Shape => Layout.Shape;

    /// <summary>[OwnerRows, OwnerColumns], one owner a byte.</summary>
    public byte[] Owners { get; }

    /// <summary>int8: the factor of each output row, [outputs]; null for floating-point values.</summary>
    public float[]? Scales { get; }

    public abstract DType DType { get; }

    /// <summary>The values as bytes, little-endian, [ValueRows, ValueColumns].</summary>
    public abstract ReadOnlySpan<byte> ValueBytes { get; }

    /// <summary>The owners as they stand in a file.</summary>
    public byte[] EncodeOwners() => OwnerCodec.Encode(Owners, Layout.OwnerRows, Layout.OwnerColumns, Pattern.IndexBits);

    /// <summary>Bytes of values, owners and scales in a file, without headers.</summary>
    public long ByteCount =>
        ValueBytes.Length
        + (long)Layout.OwnerRows * OwnerCodec.RowBytes(Layout.OwnerColumns, Pattern.IndexBits)
        + (Scales is null ? 0 : 4L * Scales.Length);

    /// <summary>How many values are not zero; padding is.</summary>
    public abstract long CountNonZeros();

    private void CheckOwners()
    {
        if (OwnerCheck.IsGood(Layout, Owners))
            return;
        int keep = Pattern.Keep;
        for (var cell = new CellCursor(Layout); cell.MoveNext();)
        {
            int used = cell.Used, previous = -1;
            for (int slot = 0; slot < keep; slot++)
            {
                int owner = Owners[cell.OwnerBase + slot * cell.OwnerStep];
                bool good = slot < used ? owner > previous && owner < cell.Candidates : owner == 0;
                if (!good)
                    throw new PackingException(
                        $"Cell {cell.Cell}, slot {slot} has owner {owner}; expected " +
                        (slot < used ? $"an owner above {previous} and below {cell.Candidates}" : "0, as the slot is padding") +
                        " (owners of a cell ascend).");
                previous = owner;
            }
        }
    }
}

/// <summary>Packed weights with values of type <typeparamref name="T"/>: float, Half, BFloat16 or sbyte.</summary>
public sealed class PackedTensor<T> : PackedTensor
    where T : unmanaged
{
    /// <exception cref="PackingException">A field does not fit the layout, or the owners are not a packing.</exception>
    public PackedTensor(CellLayout layout, T[] values, byte[] owners, float[]? scales = null)
        : base(layout, owners, scales)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != layout.ValueCount)
            throw new PackingException($"{values.Length} values were given for pattern {layout.Pattern} on {layout.Shape}, expected "
                + $"{layout.ValueCount}.");
        if (scales is not null && typeof(T) != typeof(sbyte))
            throw new PackingException($"Scales were given for values of type {typeof(T).Name}; only int8 values have scales.");
        Values = values;
        CheckPadding();
    }

    /// <summary>[ValueRows, ValueColumns], row-major.</summary>
    public T[] Values { get; }

    public override long CountNonZeros()
    {
        long count = 0;
        foreach (T value in Values)
            if (!IsZero(value))
                count++;
        return count;
    }

    /// <summary>Either zero of a floating-point type.</summary>
    private static bool IsZero(T value) => value switch
    {
        float number => number == 0,
        Half number => number == (Half)0,
        BFloat16 number => (float)number == 0,
        _ => value.Equals(default(T)),
    };

    public override DType DType =>
        typeof(T) == typeof(float) ? DType.Float32
        : typeof(T) == typeof(Half) ? DType.Float16
        : typeof(T) == typeof(BFloat16) ? DType.BFloat16
        : typeof(T) == typeof(sbyte) ? DType.Int8
        : throw new PackingException($"Values of type {typeof(T).Name} cannot be packed, expected float, Half, BFloat16 or sbyte.");

    public override ReadOnlySpan<byte> ValueBytes => MemoryMarshal.AsBytes(Values.AsSpan());

    /// <summary>Slots and rows that stand for no weight hold zero, so that a kernel may multiply by them.</summary>
    private void CheckPadding()
    {
        CellLayout layout = Layout;
        int keep = Pattern.Keep, share = Pattern.Axis == CellAxis.Output ? Pattern.Share : 1;
        if (layout.AxisLength % Pattern.Group == 0 && Shape.OutputsPerGroup % share == 0)
            return; // no cell and no run is short
        for (var cell = new CellCursor(layout); cell.MoveNext();)
        {
            if (cell.Used == keep && share == 1)
                continue;
            for (int slot = 0; slot < keep; slot++)
            {
                int lanes = slot < cell.Used ? cell.Lanes(Owners[cell.OwnerBase + slot * cell.OwnerStep]) : 0;
                int rows = share > 1 ? share : slot < cell.Used ? lanes : cell.Lanes(0);
                for (int lane = lanes; lane < rows; lane++)
                {
                    T value = Values[cell.ValueBase + slot * cell.ValueStep + lane * cell.LaneStep];
                    if (!Packer.IsZero(value))
                        throw new PackingException($"Cell {cell.Cell}, slot {slot}, row {lane} holds {value}, expected 0: it is padding.");
                }
            }
        }
    }
}
