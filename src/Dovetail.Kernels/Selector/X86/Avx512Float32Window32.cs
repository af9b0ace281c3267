using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.Selector.X86;

/// <summary>fp32, groups up to 32: <c>vpermt2ps</c> picks each lane's input out of two registers, then one FMA.</summary>
internal readonly unsafe struct Avx512Float32Window32
    : IFloat32LaneOperations<Avx512Float32Window32.Pair, Vector512<float>, Vector512<int>, Vector512<float>>
{
    /// <summary>32 neighbouring inputs.</summary>
    internal readonly struct Pair(Vector512<float> lower, Vector512<float> upper)
    {
        public readonly Vector512<float> Lower = lower;
        public readonly Vector512<float> Upper = upper;
    }

    public static int Lanes => 16;
    public static int Window => 32;
    public static bool LoadsFullWindow => true;
    public static int SlotsPerStep => 1;
    public static int ElementBytes => sizeof(float);
    public static int TilePixels => 7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair LoadInput(byte* window) => new(Vector512.Load((float*)window), Vector512.Load((float*)window + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadWeights(byte* weights) => Vector512.Load((float*)weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadOwners(byte* owners) => Avx512F.ConvertToVector512Int32(Vector128.Load(owners));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> sum, Pair input, Vector512<int> owners, Vector512<float> weights) =>
        Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32x2(input.Lower, owners, input.Upper), weights, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadSums(void* source) => Avx512Float32Window16.LoadSums(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(void* target, Vector512<float> sums) => Avx512Float32Window16.StoreSums(target, sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Clamp(Vector512<float> sums, float lowest, float highest) =>
        Avx512Float32Window16.Clamp(sums, lowest, highest);
}
