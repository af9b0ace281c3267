using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dovetail.Core.Packing;

namespace Dovetail.Kernels.Selector;

/// <summary>
/// Floats rounded to bfloat16, to nearest, ties to even: add 0x7FFF and the lowest bit that stays, cut off 16 bits. NaN
/// keeps its sign and becomes quiet.
/// </summary>
internal static unsafe class BFloat16Rounding
{
    /// <summary>The upper halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToBFloat16(float* source, ushort* target, long count)
    {
        long i = 0;
        for (; i <= count - 2 * Vector512<uint>.Count; i += 2 * Vector512<uint>.Count)
        {
            Vector512<uint> lower = Round(Vector512.Load(source + i)) >>> 16,
                upper = Round(Vector512.Load(source + i + Vector512<uint>.Count)) >>> 16;
            Vector512.Narrow(lower, upper).Store(target + i);
        }

        for (; i < count; i++)
            target[i] = BFloat16.FromSingle(source[i]).Bits;
    }

    /// <summary>Rounded, and still floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToSingle(float* source, float* target, long count)
    {
        long i = 0;
        for (; i <= count - Vector512<uint>.Count; i += Vector512<uint>.Count)
            Round(Vector512.Load(source + i)).Store((uint*)target + i);
        for (; i < count; i++)
            target[i] = BFloat16.FromSingle(source[i]);
    }

    /// <summary>The upper halves rounded, the lower ones zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Round(Vector512<float> value)
    {
        Vector512<uint> bits = value.AsUInt32();
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512.Create(1u));
        Vector512<uint> isNumber = Vector512.Equals(value, value).AsUInt32();
        return Vector512.ConditionalSelect(isNumber, rounded, bits | Vector512.Create(0x400000u)) & Vector512.Create(0xFFFF0000u);
    }
}
