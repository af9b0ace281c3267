using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Packing;

/// <summary>
/// Writes a vector of dense weights at once, where it holds several whole cells of neighbours (input axis, contiguous).
/// 1. Weight p of a vector of L belongs to cell p / group and is candidate p mod group; slot s of its cell is entry
///    (p / group)·keep + s of the packed values and owners.
/// 2. So for each s one shuffle by that index brings each weight the slot's owner, a second one the slot's value. Where
///    the owner is p mod group the value is the weight; a cell's owners differ, so at most one slot is selected.
/// 3. That is keep steps for L weights, whatever the group, against L / group · keep scattered slots and their clearing. Wide
///    vectors are faster from one whole cell on, narrow ones from four.
/// A vector is loaded whole, although L / group · keep entries of it are used, so the last cells of the arrays are left
/// to the caller.
/// </summary>
internal sealed class CellExpansion<T>
    where T : unmanaged
{
    private readonly bool _wide;
    private readonly int _keep;
    private readonly int _cells;
    private readonly Vector512<byte> _index;
    private readonly Vector512<byte> _candidate;

    private CellExpansion(ComplementaryPattern pattern, int lanes, bool wide)
    {
        (_wide, _keep, _cells) = (wide, pattern.Keep, lanes / pattern.Group);
        Span<byte> index = stackalloc byte[Vector512<byte>.Count], candidate = stackalloc byte[Vector512<byte>.Count];
        index.Clear();
        candidate.Clear();
        int size = Unsafe.SizeOf<T>(); // little-endian lanes of that size
        for (int p = 0; p < lanes; p++)
            (index[p * size], candidate[p * size]) = ((byte)(p / pattern.Group * pattern.Keep), (byte)(p % pattern.Group));
        (_index, _candidate) = (Vector512.Create<byte>(index), Vector512.Create<byte>(candidate));
    }

    /// <summary>Null where scattering is as good, or the processor lacks the shuffle.</summary>
    internal static CellExpansion<T>? For(ComplementaryPattern pattern, VectorUse use)
    {
        int size = Unsafe.SizeOf<T>();
        bool wide = use == VectorUse.Best && size switch
        {
            1 => Avx512Vbmi.IsSupported,
            2 => Avx512BW.IsSupported,
            4 => Avx512F.IsSupported,
            _ => false,
        };
        if (!wide && (use == VectorUse.None || size != 1 || !Vector128.IsHardwareAccelerated))
            return null;
        int lanes = wide ? Vector512<byte>.Count / size : Vector128<byte>.Count;
        int leastCells = wide ? 1 : 4;
        return lanes % pattern.Group == 0 && lanes / pattern.Group >= leastCells ? new CellExpansion<T>(pattern, lanes, wide) : null;
    }

    /// <summary>Expands cells from the first on; returns how many.</summary>
    /// <param name="owners">From the first cell on, as far as the array goes.</param>
    internal int Expand(ReadOnlySpan<byte> owners, ReadOnlySpan<T> values, Span<T> weights, int wholeCells)
    {
        int lanes = _wide ? Vector512<byte>.Count / Unsafe.SizeOf<T>() : Vector128<byte>.Count, step = _cells * _keep;
        int available = Math.Min(owners.Length, values.Length) - lanes;
        int vectors = available < 0 ? 0 : Math.Min(wholeCells / _cells, available / step + 1);
        ref byte owner = ref MemoryMarshal.GetReference(owners);
        ref T value = ref MemoryMarshal.GetReference(values);
        ref T weight = ref MemoryMarshal.GetReference(weights);
        if (!_wide)
            ExpandNarrow(ref owner, ref Unsafe.As<T, byte>(ref value), ref Unsafe.As<T, byte>(ref weight), vectors);
        else if (Unsafe.SizeOf<T>() == 1)
            ExpandBytes(ref owner, ref Unsafe.As<T, byte>(ref value), ref Unsafe.As<T, byte>(ref weight), vectors);
        else if (Unsafe.SizeOf<T>() == 2)
            ExpandWords(ref owner, ref Unsafe.As<T, ushort>(ref value), ref Unsafe.As<T, ushort>(ref weight), vectors);
        else
            ExpandDoubleWords(ref owner, ref Unsafe.As<T, uint>(ref value), ref Unsafe.As<T, uint>(ref weight), vectors);
        return vectors * _cells;
    }

    private void ExpandBytes(ref byte owners, ref byte values, ref byte weights, int vectors)
    {
        Vector512<byte> first = _index, candidate = _candidate;
        int keep = _keep, step = _cells * keep;
        for (int i = 0; i < vectors; i++)
        {
            Vector512<byte> owner = Vector512.LoadUnsafe(ref owners, (nuint)(i * step)),
                value = Vector512.LoadUnsafe(ref values, (nuint)(i * step));
            Vector512<byte> result = Vector512<byte>.Zero, index = first;
            for (int s = 0; s < keep; s++, index += Vector512<byte>.One)
                result = Vector512.ConditionalSelect(
                    Vector512.Equals(Avx512Vbmi.PermuteVar64x8(owner, index), candidate), Avx512Vbmi.PermuteVar64x8(value, index), result);
            result.StoreUnsafe(ref weights, (nuint)(i * Vector512<byte>.Count));
        }
    }

    private void ExpandWords(ref byte owners, ref ushort values, ref ushort weights, int vectors)
    {
        Vector512<ushort> first = _index.AsUInt16(), candidate = _candidate.AsUInt16();
        int keep = _keep, step = _cells * keep;
        for (int i = 0; i < vectors; i++)
        {
            Vector512<ushort> owner = Avx512BW.ConvertToVector512UInt16(Vector256.LoadUnsafe(ref owners, (nuint)(i * step))),
                value = Vector512.LoadUnsafe(ref values, (nuint)(i * step));
            Vector512<ushort> result = Vector512<ushort>.Zero, index = first;
            for (int s = 0; s < keep; s++, index += Vector512<ushort>.One)
                result = Vector512.ConditionalSelect(
                    Vector512.Equals(Avx512BW.PermuteVar32x16(owner, index), candidate), Avx512BW.PermuteVar32x16(value, index), result);
            result.StoreUnsafe(ref weights, (nuint)(i * Vector512<ushort>.Count));
        }
    }

    private void ExpandDoubleWords(ref byte owners, ref uint values, ref uint weights, int vectors)
    {
        Vector512<uint> first = _index.AsUInt32(), candidate = _candidate.AsUInt32();
        int keep = _keep, step = _cells * keep;
        for (int i = 0; i < vectors; i++)
        {
            Vector512<uint> owner = Avx512F.ConvertToVector512UInt32(Vector128.LoadUnsafe(ref owners, (nuint)(i * step))),
                value = Vector512.LoadUnsafe(ref values, (nuint)(i * step));
            Vector512<uint> result = Vector512<uint>.Zero, index = first;
            for (int s = 0; s < keep; s++, index += Vector512<uint>.One)
                result = Vector512.ConditionalSelect(
                    Vector512.Equals(Avx512F.PermuteVar16x32(owner, index), candidate), Avx512F.PermuteVar16x32(value, index), result);
            result.StoreUnsafe(ref weights, (nuint)(i * Vector512<uint>.Count));
        }
    }

    private void ExpandNarrow(ref byte owners, ref byte values, ref byte weights, int vectors)
    {
        Vector128<byte> first = _index.GetLower().GetLower(), candidate = _candidate.GetLower().GetLower();
        int keep = _keep, step = _cells * keep;
        for (int i = 0; i < vectors; i++)
        {
            Vector128<byte> owner = Vector128.LoadUnsafe(ref owners, (nuint)(i * step)),
                value = Vector128.LoadUnsafe(ref values, (nuint)(i * step));
            Vector128<byte> result = Vector128<byte>.Zero, index = first;
            for (int s = 0; s < keep; s++, index += Vector128<byte>.One)
                result |= Vector128.Equals(Vector128.Shuffle(owner, index), candidate) & Vector128.Shuffle(value, index);
            result.StoreUnsafe(ref weights, (nuint)(i * Vector128<byte>.Count));
        }
    }
}
