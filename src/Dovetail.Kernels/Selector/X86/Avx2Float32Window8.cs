using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.Selector.X86;

/// <summary>fp32, groups up to 8: <c>vpermps</c> on 256 bits. Sixteen registers hold 4 pixels × 2 vectors of sums.</summary>
internal readonly unsafe struct Avx2Float32Window8
    : IFloat32LaneOperations<Vector256<float>, Vector256<float>, Vector256<int>, Vector256<float>>
{
    public static int Lanes => 8;
    public static int Window => 8;
    public static bool LoadsFullWindow => true;
    public static int SlotsPerStep => 1;
    public static int ElementBytes => sizeof(float);
    public static int TilePixels => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadInput(byte* window) => Vector256.Load((float*)window);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadWeights(byte* weights) => Vector256.Load((float*)weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadOwners(byte* owners) => Avx2.ConvertToVector256Int32(owners);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(
        Vector256<float> sum, Vector256<float> input, Vector256<int> owners, Vector256<float> weights) =>
        Fma.MultiplyAdd(Avx2.PermuteVar8x32(input, owners), weights, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadSums(void* source) => Vector256.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(void* target, Vector256<float> sums) => sums.Store((float*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Clamp(Vector256<float> sums, float lowest, float highest) =>
        Avx.Min(Vector256.Create(highest), Avx.Max(Vector256.Create(lowest), sums)); // of two, x86 returns the second where one is NaN
}
