using System.Runtime.Intrinsics;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// Whether all owners are in order, at the speed of memory where there are no tails; where the answer is no
/// the caller looks for the culprit.
/// 1. Every owner is below the group (a tail cell has a bound of its own).
/// 2. Input axis: within a cell each owner is below the next in the array, so only the last must be compared with the group.
///    Where keep divides the vector, which neighbours belong to one cell is the same in every vector: one pass.
/// 3. Output axis: within a block each row of owners is below the next row, whatever the candidates.
/// </summary>
internal static class OwnerCheck
{
    internal static bool IsGood(CellLayout layout, ReadOnlySpan<byte> owners)
    {
        ComplementaryPattern pattern = layout.Pattern;
        if (layout.AxisLength % pattern.Group != 0 || Vector512<byte>.Count % pattern.Keep != 0)
            return false; // not known
        if (pattern.Keep > 1 && pattern.Axis == CellAxis.Input)
            return CellsAscend(owners, pattern.Keep, pattern.Group);
        if (pattern.Group <= byte.MaxValue && owners.ContainsAnyInRange((byte)pattern.Group, byte.MaxValue))
            return false;
        return pattern.Keep == 1 || RowsAscend(owners, pattern.Keep, layout.OwnerColumns);
    }

    private static bool CellsAscend(ReadOnlySpan<byte> owners, int keep, int group)
    {
        Span<byte> last = stackalloc byte[Vector512<byte>.Count];
        for (int i = 0; i < last.Length; i++)
            last[i] = i % keep == keep - 1 ? byte.MaxValue : (byte)0;
        Vector512<byte> lastSlots = Vector512.Create<byte>(last), limit = Vector512.Create((byte)(group - 1));
        int at = 0;
        for (; at + Vector512<byte>.Count + 1 <= owners.Length; at += Vector512<byte>.Count)
        {
            Vector512<byte> owner = Vector512.Create(owners[at..]), next = Vector512.Create(owners[(at + 1)..]);
            if (!Vector512.EqualsAll(
                Vector512.ConditionalSelect(lastSlots, Vector512.LessThanOrEqual(owner, limit), Vector512.LessThan(owner, next)),
                Vector512<byte>.AllBitsSet))
                return false;
        }

        for (; at < owners.Length; at++)
            if (at % keep == keep - 1 ? owners[at] >= group : owners[at] >= owners[at + 1])
                return false;
        return true;
    }

    private static bool RowsAscend(ReadOnlySpan<byte> owners, int keep, int columns)
    {
        int rows = owners.Length / columns;
        for (int row = 0; row + 1 < rows; row++)
        {
            if (row % keep == keep - 1)
                continue;
            ReadOnlySpan<byte> upper = owners.Slice(row * columns, columns), lower = owners.Slice((row + 1) * columns, columns);
            int column = 0;
            for (; column + Vector512<byte>.Count <= columns; column += Vector512<byte>.Count)
                if (!Vector512.LessThanAll(Vector512.Create(upper[column..]), Vector512.Create(lower[column..])))
                    return false;
            for (; column < columns; column++)
                if (upper[column] >= lower[column])
                    return false;
        }

        return true;
    }
}
