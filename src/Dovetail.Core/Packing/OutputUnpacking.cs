using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// The output axis: a block of the dense matrix is the rows of all candidates of a row of cells; its slots are rows of
/// packed values.
/// 1. Bytes and few slots: each dense row in order, a vector of columns at a time: the value of every slot whose owner is the
///    row's candidate, ORed. The block's slots stay in the nearest cache.
/// 2. Otherwise tile by tile: so many columns of the block as stay in the cache are cleared, then the slots are scattered
///    into them.
/// </summary>
internal static class OutputUnpacking
{
    /// <summary>Up to so many slots, looking through all of them for each row is faster than scattering.</summary>
    private const int MostSelectedSlots = 8;

    private const int TileBytes = 64 * 1024;

    internal static void Unpack<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights, VectorUse use)
        where T : unmanaged
    {
        WeightShape shape = layout.Shape;
        ComplementaryPattern pattern = layout.Pattern;
        int cells = layout.CellsPerAxis;
        int entryStep = pattern.Arrangement == Arrangement.Contiguous ? 1 : cells;
        for (int block = 0; block < shape.Groups * cells; block++)
        {
            (int group, int j) = Math.DivRem(block, cells);
            int first = pattern.Arrangement == Arrangement.Contiguous ? j * pattern.Group : j;
            var rows = new Block(
                block * pattern.Keep, layout.UsedSlots(block * shape.Inputs), layout.CandidateCount(block * shape.Inputs), pattern.Share,
                group * shape.OutputsPerGroup + first * pattern.Share, entryStep * pattern.Share, (group + 1) * shape.OutputsPerGroup,
                shape.Inputs);
            if (Unsafe.SizeOf<T>() == 1 && rows.Used <= MostSelectedSlots && use != VectorUse.None)
                Select(rows, owners, MemoryMarshal.AsBytes(values.AsSpan()), MemoryMarshal.AsBytes(weights));
            else
                ScatterTiles(rows, owners, values, weights);
        }
    }

    private static void Select(in Block block, ReadOnlySpan<byte> owners, ReadOnlySpan<byte> values, Span<byte> weights)
    {
        int columns = block.Columns, used = block.Used;
        for (int candidate = 0; candidate < block.Candidates; candidate++)
            for (int lane = 0; lane < block.Lanes(candidate); lane++)
            {
                Span<byte> target = weights.Slice(block.Row(candidate, lane) * columns, columns);
                ReadOnlySpan<byte> slotOwners = owners.Slice(block.FirstSlot * columns, used * columns);
                ReadOnlySpan<byte> slotValues = values.Slice(
                    (block.FirstSlot * block.Share + lane) * columns, ((used - 1) * block.Share + 1) * columns);
                Vector512<byte> wanted = Vector512.Create((byte)candidate);
                ref byte owner = ref MemoryMarshal.GetReference(slotOwners);
                ref byte value = ref MemoryMarshal.GetReference(slotValues);
                int column = 0, valueStep = block.Share * columns;
                for (; column + Vector512<byte>.Count <= columns; column += Vector512<byte>.Count)
                {
                    Vector512<byte> result = Vector512<byte>.Zero;
                    for (int slot = 0; slot < used; slot++)
                        result |= Vector512.Equals(Vector512.LoadUnsafe(ref owner, (nuint)(slot * columns + column)), wanted)
                            & Vector512.LoadUnsafe(ref value, (nuint)(slot * valueStep + column));
                    result.CopyTo(target[column..]);
                }

                for (; column < columns; column++)
                {
                    target[column] = 0;
                    for (int slot = 0; slot < used; slot++)
                        if (slotOwners[slot * columns + column] == candidate)
                            target[column] = slotValues[slot * valueStep + column];
                }
            }
    }

    private static void ScatterTiles<T>(in Block block, ReadOnlySpan<byte> owners, ReadOnlySpan<T> values, Span<T> weights)
        where T : unmanaged
    {
        int columns = block.Columns, step = block.RowStep * columns;
        int width = Math.Max(128 / Unsafe.SizeOf<T>(), TileBytes / (block.Candidates * block.Share * Unsafe.SizeOf<T>()));
        for (int column = 0; column < columns; column += width)
        {
            int tile = Math.Min(width, columns - column);
            for (int candidate = 0; candidate < block.Candidates; candidate++)
                for (int lane = 0; lane < block.Lanes(candidate); lane++)
                    weights.Slice(block.Row(candidate, lane) * columns + column, tile).Clear();
            for (int slot = block.FirstSlot; slot < block.FirstSlot + block.Used; slot++)
                for (int lane = 0; lane < block.Share; lane++)
                {
                    ReadOnlySpan<byte> slotOwners = owners.Slice(slot * columns + column, tile);
                    ReadOnlySpan<T> slotValues = values.Slice((slot * block.Share + lane) * columns + column, tile);
                    int to = block.Row(0, lane) * columns + column;
                    if (block.Lanes(block.Candidates - 1) == block.Share)
                        for (int i = 0; i < slotOwners.Length; i++)
                            weights[to + slotOwners[i] * step + i] = slotValues[i];
                    else
                        for (int i = 0; i < slotOwners.Length; i++)
                            if (lane < block.Lanes(slotOwners[i]))
                                weights[to + slotOwners[i] * step + i] = slotValues[i];
                }
        }
    }

    /// <summary>Where a row of cells lies: candidate i, lane l is dense row <c>FirstRow + i·RowStep + l</c>, below <c>EndRow</c>.</summary>
    private readonly record struct Block(
        int FirstSlot, int Used, int Candidates, int Share, int FirstRow, int RowStep, int EndRow, int Columns)
    {
        internal int Row(int candidate, int lane) => FirstRow + candidate * RowStep + lane;

        internal int Lanes(int candidate) => Math.Min(Share, EndRow - Row(candidate, 0));
    }
}
