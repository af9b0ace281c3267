using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// Packed weights back to a dense matrix.
/// 1. The input axis goes row by row. Cells so small that a vector holds several are expanded by shuffles
///    (<see cref="CellExpansion{T}"/>); what is left of a row is cleared while it is in the nearest cache and scattered into. The
///    owners and values are read in order. Rows of a run read the same owners.
/// 2. The output axis goes by blocks of rows (<see cref="OutputUnpacking"/>).
/// Owners were checked when the tensor was made, so the stores stay inside.
/// </summary>
internal static class Unpacking
{
    internal static void Scatter<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights, VectorUse use = VectorUse.Best)
        where T : unmanaged
    {
        if (layout.Pattern.Axis == CellAxis.Output)
            OutputUnpacking.Unpack(layout, owners, values, weights, use);
        else
            ScatterRows(layout, owners, values, weights, use);
    }

    private static void ScatterRows<T>(CellLayout layout, byte[] owners, T[] values, Span<T> weights, VectorUse use)
        where T : unmanaged
    {
        ComplementaryPattern pattern = layout.Pattern;
        int keep = pattern.Keep, columns = layout.Shape.Inputs, channels = layout.Shape.Channels, taps = layout.Shape.Taps;
        int cells = layout.CellsPerAxis, perGroup = layout.Shape.OutputsPerGroup, runs = (perGroup - 1) / pattern.Share + 1;
        bool contiguous = pattern.Arrangement == Arrangement.Contiguous;
        int start = contiguous ? pattern.Group : 1, step = contiguous ? 1 : cells;
        // cells before this one along a tap are full enough to use all their slots
        int full = contiguous
            ? (channels % pattern.Group is var tail && tail != 0 && tail < keep ? cells - 1 : cells)
            : FullStrided(channels, cells, keep);
        int whole = contiguous ? channels / pattern.Group : 0;
        CellExpansion<T>? expansion = contiguous && whole > 0 ? CellExpansion<T>.For(pattern, use) : null;
        for (int row = 0; row < layout.Shape.Outputs; row++)
        {
            int run = row / perGroup * runs + row % perGroup / pattern.Share;
            int valueSlot = row * layout.ValueColumns, ownerSlot = run * layout.OwnerColumns;
            for (int tap = 0; tap < taps; tap++, valueSlot += cells * keep, ownerSlot += cells * keep)
            {
                Span<T> target = weights.Slice(row * columns + tap * channels, channels);
                int done = expansion?.Expand(owners.AsSpan(ownerSlot), values.AsSpan(valueSlot), target, whole) ?? 0;
                target[(done * start)..].Clear();
                for (int j = done; j < cells; j++)
                {
                    int used = j < full ? keep : layout.UsedSlots(j);
                    ref T cell = ref Unsafe.Add(ref MemoryMarshal.GetReference(target), j * start);
                    ref byte owner = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(owners), ownerSlot + j * keep);
                    ref T value = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(values), valueSlot + j * keep);
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
}
