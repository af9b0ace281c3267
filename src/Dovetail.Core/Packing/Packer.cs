using System.Numerics;
using System.Runtime.CompilerServices;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// Between weights in matrix order and their packed form. unpack(pack(x)) = x for weights that satisfy the
/// pattern; +0 and −0 are both zero, so a −0 that no slot holds comes back as +0. NaN counts as a non-zero.
/// </summary>
public static class Packer
{
    private const int WordsPerCell = ComplementaryPattern.MaxGroup / 64;

    /// <summary>
    /// Packs weights that satisfy a pattern. Without a mask the owners of a cell are its non-zeros,
    /// filled up with its lowest other candidates where it has fewer than <c>keep</c>.
    /// </summary>
    /// <typeparam name="T">float, Half, BFloat16 or sbyte.</typeparam>
    /// <param name="weights">Matrix order [outputs, taps·channels].</param>
    /// <param name="layout">The pattern on the weights' shape.</param>
    /// <param name="mask">Optional, matrix order: the owners where they should not be read off the values.</param>
    /// <param name="scales">int8: one factor an output.</param>
    /// <exception cref="PackingException">A cell has more than <c>keep</c> non-zeros.</exception>
    public static PackedTensor<T> Pack<T>(
        ReadOnlySpan<T> weights, CellLayout layout, ReadOnlySpan<bool> mask = default, float[]? scales = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (weights.Length != layout.Shape.Count || (!mask.IsEmpty && mask.Length != weights.Length))
            throw new PackingException($"{weights.Length} weights and {mask.Length} mask entries were given for shape {layout.Shape}, "
                + $"expected {layout.Shape.Count}.");
        var values = new T[layout.ValueCount];
        var owners = new byte[layout.OwnerCount];
        int columns = layout.Shape.Inputs;
        Span<ulong> kept = stackalloc ulong[WordsPerCell];
        for (var cell = new CellCursor(layout); cell.MoveNext();)
        {
            int count = MarkNonZeros(weights, mask, in cell, columns, kept);
            if (count > cell.Used)
                throw TooMany(layout, in cell, count);
            FillUp(kept, cell.Used - count);
            int slot = 0;
            for (int word = 0; word < WordsPerCell; word++)
                for (ulong bits = kept[word]; bits != 0; bits &= bits - 1, slot++)
                {
                    int candidate = word * 64 + BitOperations.TrailingZeroCount(bits);
                    owners[cell.OwnerBase + slot * cell.OwnerStep] = (byte)candidate;
                    int from = cell.Base + candidate * cell.Step, to = cell.ValueBase + slot * cell.ValueStep;
                    int lanes = cell.Lanes(candidate);
                    for (int lane = 0; lane < lanes; lane++, from += columns, to += cell.LaneStep)
                        values[to] = weights[from];
                }
        }

        return new PackedTensor<T>(layout, values, owners, scales);
    }

    /// <summary>The weights in matrix order, zeros included.</summary>
    public static T[] Unpack<T>(PackedTensor<T> packed)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(packed);
        var weights = GC.AllocateUninitializedArray<T>(packed.Shape.Count);
        Unpack(packed, weights);
        return weights;
    }

    /// <summary>The weights in matrix order, zeros included, into a buffer that may hold anything before.</summary>
    public static void Unpack<T>(PackedTensor<T> packed, Span<T> weights)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(packed);
        if (weights.Length != packed.Shape.Count)
            throw new PackingException(
                $"The buffer holds {weights.Length} weights, expected {packed.Shape.Count} for shape {packed.Shape}.");
        Unpacking.Scatter(packed.Layout, packed.Owners, packed.Values, weights);
    }

    /// <summary>The mask in matrix order: true at every owner, whatever its value.</summary>
    public static bool[] UnpackMask(PackedTensor packed)
    {
        ArgumentNullException.ThrowIfNull(packed);
        var mask = new bool[packed.Shape.Count];
        int columns = packed.Shape.Inputs;
        for (var cell = new CellCursor(packed.Layout); cell.MoveNext();)
            for (int slot = 0; slot < cell.Used; slot++)
            {
                int candidate = packed.Owners[cell.OwnerBase + slot * cell.OwnerStep];
                int lanes = cell.Lanes(candidate);
                for (int lane = 0, at = cell.Base + candidate * cell.Step; lane < lanes; lane++, at += columns)
                    mask[at] = true;
            }

        return mask;
    }

    private static int MarkNonZeros<T>(ReadOnlySpan<T> weights, ReadOnlySpan<bool> mask, in CellCursor cell, int columns, Span<ulong> kept)
        where T : unmanaged
    {
        kept.Clear();
        int count = 0;
        for (int i = 0; i < cell.Candidates; i++)
        {
            int lanes = cell.Lanes(i), at = cell.Base + i * cell.Step;
            bool keep = false;
            for (int lane = 0; lane < lanes; lane++, at += columns)
                keep |= !IsZero(weights[at]) || (!mask.IsEmpty && mask[at]);
            if (keep)
            {
                kept[i >> 6] |= 1UL << i;
                count++;
            }
        }

        return count;
    }

    /// <summary>Sets the lowest <paramref name="missing"/> clear bits: slots that are left take zeros from the first free
    /// candidates.</summary>
    private static void FillUp(Span<ulong> kept, int missing)
    {
        for (int word = 0; missing > 0; word++)
            for (; missing > 0 && kept[word] != ulong.MaxValue; missing--)
                kept[word] |= kept[word] + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsZero<T>(T value)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return (float)(object)value == 0;
        if (typeof(T) == typeof(Half))
            return (BitConverter.HalfToUInt16Bits((Half)(object)value) & 0x7FFF) == 0;
        if (typeof(T) == typeof(BFloat16))
            return ((BFloat16)(object)value).IsZero;
        if (typeof(T) == typeof(sbyte))
            return (sbyte)(object)value == 0;
        throw new PackingException($"Weights of type {typeof(T).Name} cannot be packed, expected float, Half, BFloat16 or sbyte.");
    }

    private static PackingException TooMany(CellLayout layout, in CellCursor cell, int count)
    {
        (int row, _, int column) = layout.Candidate(cell.Cell, 0);
        return new PackingException(
            $"Cell {cell.Cell} of the weights {layout.Shape} (from row {row}, column {column}) " +
            $"has {count} non-zeros, and pattern {layout.Pattern} allows {cell.Used}. Project the weights onto the pattern first.");
    }
}
