using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.Selector.X86;

/// <summary>fp32, groups up to 16: <c>vpermps</c> picks each lane's input out of one register, then one FMA.</summary>
internal readonly unsafe struct Avx512Float32Window16
    : IFloat32LaneOperations<Vector512<float>, Vector512<float>, Vector512<int>, Vector512<float>>
{
    public static int Lanes => 16;
    public static int Window => 16;
    public static bool LoadsFullWindow => true;
    public static int SlotsPerStep => 1;
    public static int ElementBytes => sizeof(float);
    public static int TilePixels => 7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadInput(byte* window) => Vector512.Load((float*)window);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadWeights(byte* weights) => Vector512.Load((float*)weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadOwners(byte* owners) => Avx512F.ConvertToVector512Int32(Vector128.Load(owners));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(
        Vector512<float> sum, Vector512<float> input, Vector512<int> owners, Vector512<float> weights) =>
        Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(input, owners), weights, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadSums(void* source) => Vector512.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(void* target, Vector512<float> sums) => sums.Store((float*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Clamp(Vector512<float> sums, float lowest, float highest) =>
        // of two, x86 returns the second where one is NaN
        Avx512F.Min(Vector512.Create(highest), Avx512F.Max(Vector512.Create(lowest), sums));
}
