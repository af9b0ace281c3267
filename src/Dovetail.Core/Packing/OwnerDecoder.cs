using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Core.Packing;

/// <summary>
/// Owners of 1 to 8 bits to a byte each. Eight owners are exactly indexBits bytes, so a row is runs of eight and a tail.
/// 1. 512-bit vectors (AVX512_VBMI), 64 owners at once: the bytes of eight owners go to the front of a 64-bit lane each; then
///    every byte of the lane takes eight bits of it, from where its owner starts. A whole vector is read, so the end of the
///    row is left to step 2.
/// 2. Words of eight owners: a bit deposit (BMI2), or shifts.
/// 3. Fewer than eight, or less than a word to read: shifts of what is there.
/// </summary>
internal readonly struct OwnerDecoder
{
    private readonly int _bits;
    private readonly ulong _mask;
    private readonly VectorUse _use;
    private readonly Vector512<byte> _lanes;
    private readonly Vector512<byte> _shifts;

    internal OwnerDecoder(int indexBits, VectorUse use)
    {
        (_bits, _mask, _use) = (indexBits, (1UL << indexBits) - 1, use);
        if (!Avx512Vbmi.IsSupported || use != VectorUse.Best)
            return;
        Span<byte> lane = stackalloc byte[Vector512<byte>.Count], shift = stackalloc byte[Vector512<byte>.Count];
        for (int i = 0; i < lane.Length; i++)
            (lane[i], shift[i]) = ((byte)Math.Min(i / 8 * indexBits + i % 8, lane.Length - 1), (byte)(i % 8 * indexBits));
        (_lanes, _shifts) = (Vector512.Create<byte>(lane), Vector512.Create<byte>(shift));
    }

    /// <summary>Decodes as many owners as the buffer holds; the source holds no less.</summary>
    internal void Decode(ReadOnlySpan<byte> source, Span<byte> owners)
    {
        int done = _use == VectorUse.Best && Avx512Vbmi.IsSupported ? DecodeVectors(source, owners) : 0;
        DecodeWords(source[(done / 8 * _bits)..], owners[done..]);
    }

    /// <summary>Returns how many owners were decoded.</summary>
    private int DecodeVectors(ReadOnlySpan<byte> source, Span<byte> owners)
    {
        int width = Vector512<byte>.Count, bytes = 8 * _bits;
        if (source.Length < width || owners.Length < width)
            return 0;
        int count = Math.Min(owners.Length / width, (source.Length - width) / bytes + 1);
        Vector512<byte> lanes = _lanes, shifts = _shifts, mask = Vector512.Create((byte)_mask);
        ref byte from = ref MemoryMarshal.GetReference(source);
        ref byte to = ref MemoryMarshal.GetReference(owners);
        for (int i = 0; i < count; i++)
        {
            Vector512<byte> words = Avx512Vbmi.PermuteVar64x8(Vector512.LoadUnsafe(ref from, (nuint)(i * bytes)), lanes);
            (Avx512Vbmi.MultiShift(shifts, words.AsUInt64()) & mask).StoreUnsafe(ref to, (nuint)i * (nuint)width);
        }

        return count * width;
    }

    private void DecodeWords(ReadOnlySpan<byte> source, Span<byte> owners)
    {
        ulong spread = _mask * 0x0101010101010101; // the bits of an owner in each of eight bytes
        while (owners.Length >= 8 && source.Length >= 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(owners, Deposit(BinaryPrimitives.ReadUInt64LittleEndian(source), spread));
            owners = owners[8..];
            source = source[_bits..];
        }

        Span<byte> word = stackalloc byte[8];
        while (!owners.IsEmpty)
        {
            int count = Math.Min(8, owners.Length), bytes = (count * _bits + 7) / 8;
            word.Clear();
            source[..bytes].CopyTo(word);
            ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(word);
            for (int i = 0; i < count; i++)
                owners[i] = (byte)(bits >> (i * _bits) & _mask);
            owners = owners[count..];
            source = source[bytes..];
        }
    }

    private ulong Deposit(ulong bits, ulong spread)
    {
        if (Bmi2.X64.IsSupported && _use != VectorUse.None)
            return Bmi2.X64.ParallelBitDeposit(bits, spread);
        ulong bytes = 0;
        for (int i = 0; i < 8; i++)
            bytes |= (bits >> (i * _bits) & _mask) << (i * 8);
        return bytes;
    }
}
