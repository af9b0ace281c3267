using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// Packed weights back to a dense matrix: zeros everywhere, then a store for every slot.
/// 1. The input axis without share clears a row while it is in the nearest cache and scatters into it; the
///    owners and values are read in order, with no index arithmetic but an add.
/// 2. The output axis with few slots looks through its block's owners for each row, a vector of them at a time.
/// 3. Everything else clears the whole matrix and walks the cells.
/// Owners were checked when the tensor was made, so the stores stay inside.
/// </summary>
internal static class Unpacking
{
    /// <summary>Up to so many slots, looking for a row's owners is faster than scattering over all rows of a block.</summary>
    private const int MostSelectedSlots = 8;

    internal static void Scatter<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights)
        where T : unmanaged
    {
        if (layout.Pattern.Axis == CellAxis.Input && layout.Pattern.Share == 1)
            ScatterRows(layout, owners, values, weights);
        else if (layout.Pattern.Axis == CellAxis.Output && layout.Pattern.Share == 1 && layout.Pattern.Keep <= MostSelectedSlots)
            SelectRows(layout, owners, values, weights);
        else
            ScatterCells(layout, owners, values, weights);
    }

    /// <summary>Each row of the dense matrix is put together from the slots of its block that it owns, written in order.</summary>
    private static void SelectRows<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights)
        where T : unmanaged
    {
        int keep = layout.Pattern.Keep, columns = layout.Shape.Inputs, perGroup = layout.Shape.OutputsPerGroup, cells = layout.CellsPerAxis;
        bool contiguous = layout.Pattern.Arrangement == Arrangement.Contiguous;
        for (int row = 0; row < layout.Shape.Outputs; row++)
        {
            (int group, int entry) = Math.DivRem(row, perGroup);
            (int j, int candidate) = contiguous ? Math.DivRem(entry, layout.Pattern.Group) : (entry % cells, entry / cells);
            Span<T> target = weights.Slice(row * columns, columns);
            target.Clear();
            int block = group * cells + j, used = layout.UsedSlots(block * columns);
            for (int slot = 0; slot < used; slot++)
            {
                int start = (block * keep + slot) * columns;
                ReadOnlySpan<byte> slotOwners = owners.AsSpan(start, columns);
                ReadOnlySpan<T> slotValues = values.AsSpan(start, columns);
                Vector512<byte> wanted = Vector512.Create((byte)candidate);
                int column = 0;
                for (; column + Vector512<byte>.Count <= columns; column += Vector512<byte>.Count)
                    for (ulong hits = Vector512.Equals(Vector512.Create(slotOwners[column..]), wanted).ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
                    {
                        int at = column + BitOperations.TrailingZeroCount(hits);
                        target[at] = slotValues[at];
                    }

                for (; column < columns; column++)
                    if (slotOwners[column] == candidate)
                        target[column] = slotValues[column];
            }
        }
    }

    private static void ScatterRows<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights)
        where T : unmanaged
    {
        ComplementaryPattern pattern = layout.Pattern;
        int keep = pattern.Keep, columns = layout.Shape.Inputs, channels = layout.Shape.Channels, taps = layout.Shape.Taps;
        int cells = layout.CellsPerAxis;
        bool contiguous = pattern.Arrangement == Arrangement.Contiguous;
        int start = contiguous ? pattern.Group : 1, step = contiguous ? 1 : cells;
        // cells before this one along a tap are full enough to use all their slots
        int full = contiguous ? (channels % pattern.Group is var tail && tail != 0 && tail < keep ? cells - 1 : cells) : FullStrided(channels, cells, keep);
        int slot = 0;
        for (int row = 0; row < layout.Shape.Outputs; row++)
        {
            Span<T> target = weights.Slice(row * columns, columns);
            target.Clear();
            for (int tap = 0; tap < taps; tap++)
            {
                ref T origin = ref target[tap * channels];
                if (keep == 1) // a cell has at least one candidate, so there is no tail to mind
                {
                    ref byte first = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(owners), slot);
                    ref T single = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(values), slot);
                    for (int j = 0; j < cells; j++)
                        Unsafe.Add(ref origin, j * start + Unsafe.Add(ref first, j) * step) = Unsafe.Add(ref single, j);
                    slot += cells;
                    continue;
                }

                int whole = keep == 2 ? full : 0;
                if (keep == 2)
                {
                    ref byte pairs = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(owners), slot);
                    ref T twos = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(values), slot);
                    for (int j = 0, at = 0; j < whole; j++, at += 2)
                    {
                        ref T cell = ref Unsafe.Add(ref origin, j * start);
                        Unsafe.Add(ref cell, Unsafe.Add(ref pairs, at) * step) = Unsafe.Add(ref twos, at);
                        Unsafe.Add(ref cell, Unsafe.Add(ref pairs, at + 1) * step) = Unsafe.Add(ref twos, at + 1);
                    }

                    slot += 2 * whole;
                }

                for (int j = whole; j < cells; j++, slot += keep)
                {
                    int used = j < full ? keep : layout.UsedSlots(j);
                    ref T cell = ref Unsafe.Add(ref origin, j * start);
                    ref byte owner = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(owners), slot);
                    ref T value = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(values), slot);
                    for (int s = 0; s < used; s++)
                        Unsafe.Add(ref cell, Unsafe.Add(ref owner, s) * step) = Unsafe.Add(ref value, s);
                }
            }
        }
    }

    private static int FullStrided(int channels, int cells, int keep)
    {
        int full = 0;
        while (full < cells && (channels - full - 1) / cells + 1 >= keep)
            full++;
        return full;
    }

    private static void ScatterCells<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights)
        where T : unmanaged
    {
        weights.Clear();
        int columns = layout.Shape.Inputs;
        for (var cell = new CellCursor(layout); cell.MoveNext();)
            for (int slot = 0; slot < cell.Used; slot++)
            {
                int candidate = owners[cell.OwnerBase + slot * cell.OwnerStep];
                int from = cell.ValueBase + slot * cell.ValueStep, to = cell.Base + candidate * cell.Step;
                int lanes = cell.Lanes(candidate);
                for (int lane = 0; lane < lanes; lane++, from += cell.LaneStep, to += columns)
                    weights[to] = values[from];
            }
    }
}
