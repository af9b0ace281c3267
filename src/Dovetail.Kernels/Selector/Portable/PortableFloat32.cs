using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.Selector.Portable;

/// <summary>fp32 on any machine: the selector is an indexed load, so any contiguous group fits.</summary>
internal readonly unsafe struct PortableFloat32 : IFloat32LaneOperations<nint, float, byte, float>
{
    public static int Lanes => 1;
    public static int Window => 256;
    public static bool LoadsFullWindow => false;
    public static int SlotsPerStep => 1;
    public static int ElementBytes => sizeof(float);
    public static int TilePixels => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint LoadInput(byte* window) => (nint)window;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadWeights(byte* weights) => *(float*)weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte LoadOwners(byte* owners) => *owners;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float sum, nint input, byte owners, float weights) => sum + ((float*)input)[owners] * weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float left, float right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadSums(void* source) => *(float*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(void* target, float sums) => *(float*)target = sums;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Clamp(float sums, float lowest, float highest) => sums < lowest ? lowest : sums > highest ? highest : sums;
}
