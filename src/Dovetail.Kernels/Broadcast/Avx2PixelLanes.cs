using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Kernels.Broadcast;

/// <summary>Eight pixels a vector.</summary>
internal readonly unsafe struct Avx2PixelLanes : IPixelLanes<Vector256<float>>
{
    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector256<float> values) => values.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> sum) =>
        Fma.MultiplyAdd(left, right, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Clamp(Vector256<float> values, Vector256<float> lowest, Vector256<float> highest) =>
        Avx.Min(highest, Avx.Max(lowest, values)); // of two, x86 returns the second where one is NaN

    /// <summary>Register i holds four columns of rows i and i + 4, which are then turned within blocks of four lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TurnSquare(float** rows, nint offset, float* target, nint stride)
    {
        TurnFourColumns(rows, offset, target, stride);
        TurnFourColumns(rows, offset + 4, target + 4 * stride, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnFourColumns(float** rows, nint offset, float* target, nint stride)
    {
        Vector256<float> row0 = LoadPair(rows, offset), row1 = LoadPair(rows + 1, offset), row2 = LoadPair(rows + 2, offset),
            row3 = LoadPair(rows + 3, offset);
        Vector256<double> low01 = Avx.UnpackLow(row0, row1).AsDouble(), high01 = Avx.UnpackHigh(row0, row1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(row2, row3).AsDouble(), high23 = Avx.UnpackHigh(row2, row3).AsDouble();
        Store(target, Avx.UnpackLow(low01, low23).AsSingle());
        Store(target + stride, Avx.UnpackHigh(low01, low23).AsSingle());
        Store(target + 2 * stride, Avx.UnpackLow(high01, high23).AsSingle());
        Store(target + 3 * stride, Avx.UnpackHigh(high01, high23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LoadPair(float** rows, nint offset) =>
        Avx.InsertVector128(Vector128.Load(rows[0] + offset).ToVector256Unsafe(), Vector128.Load(rows[4] + offset), 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBytes(byte* source) =>
        Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(*(ulong*)source).AsByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddWholeNumbers(Vector256<float> totals, Vector256<float> wholeNumbers) =>
        (totals.AsInt32() + Avx.ConvertToVector256Int32(wholeNumbers)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddIntegers(Vector256<float> left, Vector256<float> right) =>
        (left.AsInt32() + right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Requantize(Vector256<float> sums, float* factors, float lowest, float highest, byte zeroPoint, byte* target)
    {
        Vector256<float> scaled = Avx.ConvertToVector256Single(sums.AsInt32()) * Vector256.Load(factors);
        scaled = Avx.Min(Avx.Max(scaled, Vector256.Create(lowest)), Vector256.Create(highest));
        Vector256<int> bytes = Avx.ConvertToVector256Int32(scaled) + Vector256.Create((int)zeroPoint);
        Vector128<ushort> words = Vector128.Narrow(bytes.GetLower().AsUInt32(), bytes.GetUpper().AsUInt32());
        *(ulong*)target = Vector128.Narrow(words, words).AsUInt64().ToScalar();
    }
}
