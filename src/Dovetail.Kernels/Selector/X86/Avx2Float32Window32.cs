using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.Selector.X86;

/// <summary>fp32, groups up to 32 in four registers of 8: four <c>vpermps</c> and three blends.</summary>
internal readonly unsafe struct Avx2Float32Window32
    : IFloat32LaneOperations<Avx2Float32Window32.Quad, Vector256<float>, Vector256<int>, Vector256<float>>
{
    /// <summary>32 neighbouring inputs.</summary>
    internal readonly struct Quad(Avx2Float32Window16.Pair lower, Avx2Float32Window16.Pair upper)
    {
        public readonly Avx2Float32Window16.Pair Lower = lower;
        public readonly Avx2Float32Window16.Pair Upper = upper;
    }

    public static int Lanes => 8;
    public static int Window => 32;
    public static bool LoadsFullWindow => true;
    public static int SlotsPerStep => 1;
    public static int ElementBytes => sizeof(float);
    public static int TilePixels => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad LoadInput(byte* window) => new(Avx2Float32Window16.LoadInput(window), Avx2Float32Window16.LoadInput(window + 64));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadWeights(byte* weights) => Vector256.Load((float*)weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadOwners(byte* owners) => Avx2.ConvertToVector256Int32(owners);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> sum, Quad input, Vector256<int> owners, Vector256<float> weights)
    {
        Vector256<float> lower = Avx2Float32Window16.Select(input.Lower, owners), upper = Avx2Float32Window16.Select(input.Upper, owners);
        return Fma.MultiplyAdd(Avx.BlendVariable(lower, upper, Vector256.ShiftLeft(owners, 27).AsSingle()), weights, sum);
    }

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
