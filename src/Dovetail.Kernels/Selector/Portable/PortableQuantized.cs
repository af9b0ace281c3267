using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.Selector.Portable;

/// <summary>uint8 × int8 on any machine: the selector is an indexed load, so any contiguous group fits.</summary>
internal readonly unsafe struct PortableQuantized : IQuantizedLaneOperations<nint, int, byte, int>
{
    public static int Lanes => 1;
    public static int Window => 256;
    public static bool LoadsFullWindow => false;
    public static int SlotsPerStep => 1;
    public static int ElementBytes => 1;
    public static int TilePixels => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint LoadInput(byte* window) => (nint)window;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LoadWeights(byte* weights) => *(sbyte*)weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte LoadOwners(byte* owners) => *owners;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAdd(int sum, nint input, byte owners, int weights) => sum + ((byte*)input)[owners] * weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(int left, int right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LoadSums(void* source) => *(int*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(void* target, int sums) => *(int*)target = sums;

    public static void Requantize(int sums, float* factors, float lowest, float highest, byte zeroPoint, byte* target) =>
        *target = PortableRequantization.Apply(sums, *factors, zeroPoint, (byte)(zeroPoint + lowest), (byte)(zeroPoint + highest));
}
