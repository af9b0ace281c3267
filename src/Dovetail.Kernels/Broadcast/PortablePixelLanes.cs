using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Dovetail.Kernels.Selector.Portable;

namespace Dovetail.Kernels.Broadcast;

/// <summary>Four pixels a vector, on every machine that has vectors of 128 bits.</summary>
internal readonly unsafe struct PortablePixelLanes : IPixelLanes<Vector128<float>>
{
    public static int Lanes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector128<float> values) => values.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> sum) =>
        Vector128.MultiplyAddEstimate(left, right, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Clamp(Vector128<float> values, Vector128<float> lowest, Vector128<float> highest)
    {
        Vector128<float> raised = Vector128.ConditionalSelect(Vector128.LessThan(values, lowest), lowest, values);
        return Vector128.ConditionalSelect(Vector128.GreaterThan(raised, highest), highest, raised);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TurnSquare(float** rows, nint offset, float* target, nint stride)
    {
        Vector128<float> row0 = Load(rows[0] + offset), row1 = Load(rows[1] + offset), row2 = Load(rows[2] + offset),
            row3 = Load(rows[3] + offset);
        Vector128<float> low01 = InterleaveLow(row0, row1), high01 = InterleaveHigh(row0, row1);
        Vector128<float> low23 = InterleaveLow(row2, row3), high23 = InterleaveHigh(row2, row3);
        Store(target, Vector128.Create(low01.GetLower(), low23.GetLower()));
        Store(target + stride, Vector128.Create(low01.GetUpper(), low23.GetUpper()));
        Store(target + 2 * stride, Vector128.Create(high01.GetLower(), high23.GetLower()));
        Store(target + 3 * stride, Vector128.Create(high01.GetUpper(), high23.GetUpper()));
    }

    /// <summary>left 0, right 0, left 1, right 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> InterleaveLow(Vector128<float> left, Vector128<float> right) =>
        Sse.IsSupported ? Sse.UnpackLow(left, right)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(left, right)
        : Vector128.ConditionalSelect(
            FromLeft, Vector128.Shuffle(left, Vector128.Create(0, 0, 1, 1)), Vector128.Shuffle(right, Vector128.Create(0, 0, 1, 1)));

    /// <summary>left 2, right 2, left 3, right 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> InterleaveHigh(Vector128<float> left, Vector128<float> right) =>
        Sse.IsSupported ? Sse.UnpackHigh(left, right)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(left, right)
        : Vector128.ConditionalSelect(
            FromLeft, Vector128.Shuffle(left, Vector128.Create(2, 2, 3, 3)), Vector128.Shuffle(right, Vector128.Create(2, 2, 3, 3)));

    private static Vector128<float> FromLeft => Vector128.Create(-1, 0, -1, 0).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBytes(byte* source) => Vector128.Create((float)source[0], source[1], source[2], source[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddWholeNumbers(Vector128<float> totals, Vector128<float> wholeNumbers) =>
        (totals.AsInt32() + Vector128.ConvertToInt32(wholeNumbers)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddIntegers(Vector128<float> left, Vector128<float> right) =>
        (left.AsInt32() + right.AsInt32()).AsSingle();

    public static void Requantize(Vector128<float> sums, float* factors, float lowest, float highest, byte zeroPoint, byte* target)
    {
        for (int lane = 0; lane < Lanes; lane++)
            target[lane] = PortableRequantization.Apply(
                sums.AsInt32()[lane], factors[lane], zeroPoint, (byte)(zeroPoint + lowest), (byte)(zeroPoint + highest));
    }
}
