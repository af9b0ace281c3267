using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.Selector.X86;

/// <summary>
/// uint8 × int8, groups up to 64, exact.
/// 1. A 32-bit lane is an output; its four bytes are four slots. <c>vpermb</c> picks 64 inputs out of 64.
/// 2. <c>vpmaddubsw</c> would saturate at 255·127·2, so bytes are widened instead: the even ones by masking, the
///    odd ones by shifting (inputs, unsigned) and by arithmetic shifts (weights, signed).
/// 3. <c>vpmaddwd</c> multiplies the 16-bit pairs and adds neighbours in 32 bits: at most 2·255·128, no overflow.
/// </summary>
internal readonly unsafe struct Avx512QuantizedWindow64
    : IQuantizedLaneOperations<Vector512<byte>, Avx512QuantizedWindow64.Halves, Vector512<byte>, Vector512<int>>
{
    /// <summary>The weights of bytes 0, 2, 4, … and of bytes 1, 3, 5, …, sign-extended.</summary>
    internal readonly struct Halves(Vector512<short> even, Vector512<short> odd)
    {
        public readonly Vector512<short> Even = even;
        public readonly Vector512<short> Odd = odd;
    }

    public static int Lanes => 16;
    public static int Window => 64;
    public static bool LoadsFullWindow => true;
    public static int SlotsPerStep => 4;
    public static int ElementBytes => 1;
    public static int TilePixels => 7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadInput(byte* window) => Vector512.Load(window);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Halves LoadWeights(byte* weights)
    {
        Vector512<short> both = Vector512.Load((short*)weights);
        return new(Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(both, 8), 8), Vector512.ShiftRightArithmetic(both, 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LoadOwners(byte* owners) => Vector512.Load(owners);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAdd(Vector512<int> sum, Vector512<byte> input, Vector512<byte> owners, Halves weights)
    {
        Vector512<ushort> selected = Avx512Vbmi.PermuteVar64x8(input, owners).AsUInt16();
        Vector512<short> even = (selected & Vector512.Create((ushort)0x00FF)).AsInt16();
        Vector512<short> odd = Vector512.ShiftRightLogical(selected, 8).AsInt16();
        return sum + Avx512BW.MultiplyAddAdjacent(even, weights.Even) + Avx512BW.MultiplyAddAdjacent(odd, weights.Odd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> left, Vector512<int> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadSums(void* source) => Vector512.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(void* target, Vector512<int> sums) => sums.Store((int*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Requantize(Vector512<int> sums, float* factors, float lowest, float highest, byte zeroPoint, byte* target)
    {
        Vector512<float> scaled = Vector512.ConvertToSingle(sums) * Vector512.Load(factors);
        scaled = Avx512F.Min(Avx512F.Max(scaled, Vector512.Create(lowest)), Vector512.Create(highest));
        Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(scaled) + Vector512.Create((int)zeroPoint)).Store(target);
    }
}
