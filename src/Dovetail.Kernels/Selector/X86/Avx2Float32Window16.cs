using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.Selector.X86;

/// <summary>fp32, groups up to 16 in two registers of 8: two <c>vpermps</c> and a blend.</summary>
internal readonly unsafe struct Avx2Float32Window16
    : IFloat32LaneOperations<Avx2Float32Window16.Pair, Vector256<float>, Vector256<int>, Vector256<float>>
{
    /// <summary>16 neighbouring inputs.</summary>
    internal readonly struct Pair(Vector256<float> lower, Vector256<float> upper)
    {
        public readonly Vector256<float> Lower = lower;
        public readonly Vector256<float> Upper = upper;
    }

    public static int Lanes => 8;
    public static int Window => 16;
    public static bool LoadsFullWindow => true;
    public static int SlotsPerStep => 1;
    public static int ElementBytes => sizeof(float);
    public static int TilePixels => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair LoadInput(byte* window) => new(Vector256.Load((float*)window), Vector256.Load((float*)window + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadWeights(byte* weights) => Vector256.Load((float*)weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadOwners(byte* owners) => Avx2.ConvertToVector256Int32(owners);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> sum, Pair input, Vector256<int> owners, Vector256<float> weights) =>
        Fma.MultiplyAdd(Select(input, owners), weights, sum);

    /// <summary>A permute reads the lowest three bits of an owner; the fourth, moved to the sign, blends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Select(Pair input, Vector256<int> owners) => Avx.BlendVariable(
        Avx2.PermuteVar8x32(input.Lower, owners), Avx2.PermuteVar8x32(input.Upper, owners), Vector256.ShiftLeft(owners, 28).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadSums(void* source) => Avx2Float32Window8.LoadSums(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(void* target, Vector256<float> sums) => Avx2Float32Window8.StoreSums(target, sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Clamp(Vector256<float> sums, float lowest, float highest) =>
        Avx2Float32Window8.Clamp(sums, lowest, highest);
}
