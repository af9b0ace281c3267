using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// Packed weights back to a dense matrix: zeros everywhere, then a store for every slot.
/// 1. The input axis without share clears a row while it is in the nearest cache and scatters into it; the
///    owners and values are read in order, with no index arithmetic but an add.
/// 2. Everything else clears the whole matrix and walks the cells.
/// Owners were checked when the tensor was made, so the stores stay inside.
/// </summary>
internal static class Unpacking
{
    internal static void Scatter<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights)
        where T : unmanaged
    {
        if (layout.Pattern.Axis == CellAxis.Input && layout.Pattern.Share == 1)
            ScatterRows(layout, owners, values, weights);
        else
            ScatterCells(layout, owners, values, weights);
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

                for (int j = 0; j < cells; j++, slot += keep)
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
