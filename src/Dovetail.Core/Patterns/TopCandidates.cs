using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Dovetail.Core.Patterns;

/// <summary>
/// The k greatest of up to 256 numbers, ties to the lower index, as a bit mask.
/// 1. Numbers become signed integers of the same order (<see cref="Key(float)"/>): a float's bits, with the
///    others than the sign flipped where it is negative. −0 becomes +0 first. int.MinValue stands for no candidate.
/// 2. A threshold t with count(key ≥ t) = k selects exactly the k greatest. It is found by bisection between
///    the least and the greatest key; each step is a vector comparison of all keys. On real weights it takes
///    about ten steps, and never more than the bits of a key.
/// 3. Where equal keys straddle the threshold no such t exists; the bisection then ends at the tied key: all
///    greater ones are selected, and of the tied ones the lowest.
/// </summary>
internal static class TopCandidates
{
    internal const int MaxCount = ComplementaryPattern.MaxGroup;
    internal const int MaskWords = MaxCount / 64;

    /// <summary>Up to so many, ranks by all comparisons are faster than bisection.</summary>
    private const int SmallCount = 8;

    /// <summary>Orders as the float does; NaN has no place.</summary>
    internal static int Key(float value)
    {
        int bits = BitConverter.SingleToInt32Bits(value + 0f);
        return bits ^ (bits >> 31 & int.MaxValue);
    }

    /// <summary>Orders as the double does; NaN has no place.</summary>
    internal static long Key(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value + 0d);
        return bits ^ (bits >> 63 & long.MaxValue);
    }

    /// <param name="keys">Filled with T.MinValue up to a multiple of the vector; at most 256.</param>
    /// <param name="count">Candidates, the first of <paramref name="keys"/>.</param>
    /// <param name="keep">1 … count.</param>
    /// <param name="mask">4 words; receives the selection.</param>
    internal static void Select<T>(Span<T> keys, int count, int keep, Span<ulong> mask)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (keep == count)
        {
            for (int word = 0; word < MaskWords; word++)
                mask[word] = word * 64 + 64 <= count ? ulong.MaxValue : word * 64 >= count ? 0 : (1UL << (count & 63)) - 1;
            return;
        }

        if (count <= SmallCount)
        {
            SelectByRank(keys[..count], keep, mask);
            return;
        }

        ReadOnlySpan<Vector512<T>> vectors = MemoryMarshal.Cast<T, Vector512<T>>(keys[..RoundUp<T>(count)]);
        (T low, T high) = Range(vectors, keys[..count]);
        while (low < high)
        {
            T middle = low + UnsignedHalf(high - low);
            int above = CountAtLeast(vectors, middle);
            if (above == keep)
            {
                Mark(vectors, middle, mask);
                return;
            }

            bool enough = above > keep;
            low = enough ? middle : low;
            high = enough ? high : middle - T.One;
        }

        SelectTied(keys[..count], low, keep, mask);
    }

    internal static int RoundUp<T>(int count)
        where T : unmanaged => (count + Vector512<T>.Count - 1) / Vector512<T>.Count * Vector512<T>.Count;

    /// <summary>⌈distance / 2⌉ of two keys, whose difference may overflow the signed type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T UnsignedHalf<T>(T distance)
        where T : unmanaged, IBinaryInteger<T> => (distance >>> 1) + (distance & T.One);

    private static (T Least, T Greatest) Range<T>(ReadOnlySpan<Vector512<T>> vectors, ReadOnlySpan<T> keys)
        where T : unmanaged, IBinaryInteger<T>
    {
        int whole = keys.Length / Vector512<T>.Count; // vectors without filling, which is less than every key
        (T least, T greatest) = (keys[^1], keys[^1]);
        if (whole > 0)
        {
            Vector512<T> leasts = vectors[0], greatests = vectors[0];
            for (int i = 1; i < whole; i++)
                (leasts, greatests) = (Vector512.Min(leasts, vectors[i]), Vector512.Max(greatests, vectors[i]));
            Vector256<T> low = Vector256.Min(leasts.GetLower(), leasts.GetUpper()),
                high = Vector256.Max(greatests.GetLower(), greatests.GetUpper());
            Vector128<T> lowest = Vector128.Min(low.GetLower(), low.GetUpper()), highest = Vector128.Max(high.GetLower(), high.GetUpper());
            for (int i = 0; i < Vector128<T>.Count; i++)
                (least, greatest) = (T.Min(least, lowest[i]), T.Max(greatest, highest[i]));
        }

        foreach (T key in keys[(whole * Vector512<T>.Count)..])
            (least, greatest) = (T.Min(least, key), T.Max(greatest, key));
        return (least, greatest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int CountAtLeast<T>(ReadOnlySpan<Vector512<T>> vectors, T threshold)
        where T : unmanaged
    {
        Vector512<T> level = Vector512.Create(threshold);
        int count = 0;
        foreach (Vector512<T> vector in vectors)
            count += BitOperations.PopCount(Vector512.GreaterThanOrEqual(vector, level).ExtractMostSignificantBits());
        return count;
    }

    private static void Mark<T>(ReadOnlySpan<Vector512<T>> vectors, T threshold, Span<ulong> mask)
        where T : unmanaged
    {
        mask.Clear();
        Vector512<T> level = Vector512.Create(threshold);
        for (int i = 0, bit = 0; i < vectors.Length; i++, bit += Vector512<T>.Count)
            mask[bit >> 6] |= Vector512.GreaterThanOrEqual(vectors[i], level).ExtractMostSignificantBits() << bit;
    }

    /// <summary>Keeps what has fewer than <paramref name="keep"/> greater, or equal and lower, companions; no branch depends on the
    /// keys.</summary>
    private static void SelectByRank<T>(ReadOnlySpan<T> keys, int keep, Span<ulong> mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong selected = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            T key = keys[i];
            int rank = 0;
            for (int j = 0; j < i; j++)
                rank += keys[j] >= key ? 1 : 0;
            for (int j = i + 1; j < keys.Length; j++)
                rank += keys[j] > key ? 1 : 0;
            selected |= (rank < keep ? 1UL : 0) << i;
        }

        mask.Clear();
        mask[0] = selected;
    }

    private static void SelectTied<T>(ReadOnlySpan<T> keys, T tied, int keep, Span<ulong> mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        mask.Clear();
        int left = keep;
        for (int i = 0; i < keys.Length; i++)
            if (keys[i] > tied)
            {
                mask[i >> 6] |= 1UL << i;
                left--;
            }

        for (int i = 0; left > 0; i++)
            if (keys[i] == tied)
            {
                mask[i >> 6] |= 1UL << i;
                left--;
            }
    }
}
