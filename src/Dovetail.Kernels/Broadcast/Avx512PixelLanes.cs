using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dovetail.Kernels.Selector.X86;

namespace Dovetail.Kernels.Broadcast;

/// <summary>Sixteen pixels a vector.</summary>
internal readonly unsafe struct Avx512PixelLanes : IPixelLanes<Vector512<float>>
{
    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector512<float> values) => values.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> sum) =>
        Avx512F.FusedMultiplyAdd(left, right, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Clamp(Vector512<float> values, Vector512<float> lowest, Vector512<float> highest) =>
        Avx512F.Min(highest, Avx512F.Max(lowest, values)); // of two, x86 returns the second where one is NaN

    /// <summary>
    /// 1. Within blocks of four lanes, four rows at a time are turned: block b of register 4·i + c then holds column 4·b + c of rows
    ///    4·i … 4·i + 3. Each row is read once, a cache line: 16 rows may lie so that a second reading would miss.
    /// 2. Blocks are turned among the four registers of equal c.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TurnSquare(float** rows, nint offset, float* target, nint stride)
    {
        TurnWithinBlocks(rows, offset, out var a0, out var a1, out var a2, out var a3);
        TurnWithinBlocks(rows + 4, offset, out var b0, out var b1, out var b2, out var b3);
        TurnWithinBlocks(rows + 8, offset, out var c0, out var c1, out var c2, out var c3);
        TurnWithinBlocks(rows + 12, offset, out var d0, out var d1, out var d2, out var d3);
        StoreTurnedBlocks(a0, b0, c0, d0, target, stride);
        StoreTurnedBlocks(a1, b1, c1, d1, target + stride, stride);
        StoreTurnedBlocks(a2, b2, c2, d2, target + 2 * stride, stride);
        StoreTurnedBlocks(a3, b3, c3, d3, target + 3 * stride, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnWithinBlocks(
        float** rows, nint offset, out Vector512<float> first, out Vector512<float> second, out Vector512<float> third,
        out Vector512<float> fourth)
    {
        Vector512<float> row0 = Load(rows[0] + offset), row1 = Load(rows[1] + offset), row2 = Load(rows[2] + offset),
            row3 = Load(rows[3] + offset);
        Vector512<double> low01 = Avx512F.UnpackLow(row0, row1).AsDouble(), high01 = Avx512F.UnpackHigh(row0, row1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(row2, row3).AsDouble(), high23 = Avx512F.UnpackHigh(row2, row3).AsDouble();
        first = Avx512F.UnpackLow(low01, low23).AsSingle();
        second = Avx512F.UnpackHigh(low01, low23).AsSingle();
        third = Avx512F.UnpackLow(high01, high23).AsSingle();
        fourth = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTurnedBlocks(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* target, nint stride)
    {
        const byte Even = 0b10_00_10_00, Odd = 0b11_01_11_01;
        Vector512<float> evenAB = Avx512F.Shuffle4x128(a, b, Even), oddAB = Avx512F.Shuffle4x128(a, b, Odd);
        Vector512<float> evenCD = Avx512F.Shuffle4x128(c, d, Even), oddCD = Avx512F.Shuffle4x128(c, d, Odd);
        Store(target, Avx512F.Shuffle4x128(evenAB, evenCD, Even));
        Store(target + 4 * stride, Avx512F.Shuffle4x128(oddAB, oddCD, Even));
        Store(target + 8 * stride, Avx512F.Shuffle4x128(evenAB, evenCD, Odd));
        Store(target + 12 * stride, Avx512F.Shuffle4x128(oddAB, oddCD, Odd));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBytes(byte* source) =>
        Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddWholeNumbers(Vector512<float> totals, Vector512<float> wholeNumbers) =>
        (totals.AsInt32() + Avx512F.ConvertToVector512Int32(wholeNumbers)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddIntegers(Vector512<float> left, Vector512<float> right) =>
        (left.AsInt32() + right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Requantize(Vector512<float> sums, float* factors, float lowest, float highest, byte zeroPoint, byte* target) =>
        Avx512QuantizedWindow64.Requantize(sums.AsInt32(), factors, lowest, highest, zeroPoint, target);
}
