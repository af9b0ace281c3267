using System.Numerics;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>Between weights in matrix order and their packed form. unpack(pack(x)) = x for weights that satisfy the pattern.</summary>
public static class Packer
{
    /// <summary>
    /// Packs weights that satisfy a pattern. Without a mask the owners of a cell are its non-zeros,
    /// filled up with its lowest other candidates where it has fewer than <c>keep</c>.
    /// </summary>
    /// <param name="weights">Matrix order [outputs, taps·channels].</param>
    /// <param name="layout">The pattern on the weights' shape.</param>
    /// <param name="mask">Optional, matrix order: the owners where they should not be read off the values.</param>
    /// <param name="scales">int8: one factor an output.</param>
    /// <exception cref="PackingException">A cell has more than <c>keep</c> non-zeros.</exception>
    public static PackedTensor<T> Pack<T>(
        ReadOnlySpan<T> weights, CellLayout layout, ReadOnlySpan<bool> mask = default, float[]? scales = null)
        where T : unmanaged, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(layout);
        int columns = layout.Shape.Inputs, keep = layout.Pattern.Keep;
        if (weights.Length != layout.Shape.Count || (!mask.IsEmpty && mask.Length != weights.Length))
            throw new PackingException($"{weights.Length} weights and {mask.Length} mask entries were given for shape {layout.Shape}, expected {layout.Shape.Count}.");
        var values = new T[layout.ValueCount];
        var owners = new byte[layout.OwnerCount];
        Span<bool> kept = stackalloc bool[layout.Pattern.Group];
        for (int cell = 0; cell < layout.CellCount; cell++)
        {
            int candidates = layout.CandidateCount(cell), used = layout.UsedSlots(cell), count = 0;
            for (int i = 0; i < candidates; i++)
            {
                (int row, int rowCount, int column) = layout.Candidate(cell, i);
                kept[i] = false;
                for (int r = row; r < row + rowCount; r++)
                {
                    int at = r * columns + column;
                    kept[i] |= !T.IsZero(weights[at]) || (!mask.IsEmpty && mask[at]);
                }

                if (kept[i])
                    count++;
            }

            if (count > used)
                throw new PackingException(
                    $"Cell {cell} of the weights {layout.Shape} (from row {layout.Candidate(cell, 0).Row}, column {layout.Candidate(cell, 0).Column}) " +
                    $"has {count} non-zeros, and pattern {layout.Pattern} allows {used}. Project the weights onto the pattern first.");
            for (int i = 0; count < used; i++)
                if (!kept[i])
                {
                    kept[i] = true;
                    count++;
                }

            for (int i = 0, slot = 0; i < candidates; i++)
            {
                if (!kept[i])
                    continue;
                (int row, int rowCount, int column) = layout.Candidate(cell, i);
                owners[layout.OwnerIndex(cell, slot)] = (byte)i;
                for (int lane = 0; lane < rowCount; lane++)
                    values[layout.ValueIndex(cell, slot, lane)] = weights[(row + lane) * columns + column];
                slot++;
            }
        }

        return new PackedTensor<T>(layout, values, owners, scales);
    }

    /// <summary>The weights in matrix order, zeros included.</summary>
    public static T[] Unpack<T>(PackedTensor<T> packed)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(packed);
        CellLayout layout = packed.Layout;
        var weights = new T[layout.Shape.Count];
        ForEachOwner(packed, (at, cell, slot, lane) => weights[at] = packed.Values[layout.ValueIndex(cell, slot, lane)]);
        return weights;
    }

    /// <summary>The mask in matrix order: true at every owner, whatever its value.</summary>
    public static bool[] UnpackMask(PackedTensor packed)
    {
        ArgumentNullException.ThrowIfNull(packed);
        var mask = new bool[packed.Shape.Count];
        ForEachOwner(packed, (at, _, _, _) => mask[at] = true);
        return mask;
    }

    private static void ForEachOwner(PackedTensor packed, Action<int, int, int, int> visit)
    {
        CellLayout layout = packed.Layout;
        for (int cell = 0; cell < layout.CellCount; cell++)
            for (int slot = 0; slot < layout.UsedSlots(cell); slot++)
            {
                (int row, int rowCount, int column) = layout.Candidate(cell, packed.Owners[layout.OwnerIndex(cell, slot)]);
                for (int lane = 0; lane < rowCount; lane++)
                    visit((row + lane) * layout.Shape.Inputs + column, cell, slot, lane);
            }
    }
}
