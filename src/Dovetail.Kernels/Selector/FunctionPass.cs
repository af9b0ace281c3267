using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.Selector;

/// <summary>
/// Applies an activation function to results that are stored and still in L1. Not part of a register tile: a call there
/// would make the compiler spill every sum.
/// 1. e^x = 2ⁿ·e^r with n = round(x·log2 e) and r = x − n·ln 2, ln 2 in two parts; e^r by its Taylor polynomial of degree
///    6, |r| ≤ 0.35, error below 2e-7 of the result. 2ⁿ in two factors, so that results go on to 0 and ∞.
/// 2. SiLU: x / (1 + e^−x). The tanh form of GELU is the same with the exponent −2√(2/π)·(x + 0.044715·x³), since
///    (1 + tanh u)/2 = 1/(1 + e^−2u).
/// 3. GELU: erfc(z) for z = |x|/√2 is t·(a1 + t·(a2 + …))·e^−z² with t = 1/(1 + p·z), within 1.5e-7 (Abramowitz and Stegun,
///    7.1.26); then x·(1 − erfc/2) or, for negative x, x·erfc/2. Within 1e-6·max(1, |x|) of the exact function.
/// </summary>
internal static unsafe class FunctionPass
{
    /// <summary>In place over rows of <paramref name="count"/> numbers, each <paramref name="stride"/> numbers behind the last.</summary>
    public static void Apply(ActivationKind function, float* first, int rows, int count, nint stride)
    {
        for (int row = 0; row < rows; row++, first += stride)
            Apply(function, first, count);
    }

    public static void Apply(ActivationKind function, float* values, int count)
    {
        switch (function)
        {
            case ActivationKind.Silu: Apply<Silu>(values, count); break;
            case ActivationKind.Gelu: Apply<Gelu>(values, count); break;
            case ActivationKind.GeluTanh: Apply<GeluTanh>(values, count); break;
            default: throw new KernelException($"{function} is no function to apply to stored results.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<TFunction>(float* values, int count)
        where TFunction : struct, IVectorFunction
    {
        int done = 0;
        for (; done <= count - Vector<float>.Count; done += Vector<float>.Count)
            Vector.Store(TFunction.Of(Vector.Load(values + done)), values + done);
        if (done == count)
            return;
        float* tail = stackalloc float[Vector<float>.Count];
        for (int i = done; i < count; i++)
            tail[i - done] = values[i];
        Vector.Store(TFunction.Of(Vector.Load(tail)), tail);
        for (int i = done; i < count; i++)
            values[i] = tail[i - done];
    }

    /// <summary>Step 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Exp(Vector<float> x)
    {
        x = Vector.MinNative(Vector.MaxNative(x, Vector.Create(-105f)), Vector.Create(90f));
        Vector<float> n = Vector.Round(x * Vector.Create(1.44269504f));
        Vector<float> r = Vector.MultiplyAddEstimate(
            n, Vector.Create(-1.42860677e-6f), Vector.MultiplyAddEstimate(n, Vector.Create(-0.693145752f), x));
        Vector<float> e = Vector.Create(1f / 720);
        e = Vector.MultiplyAddEstimate(e, r, Vector.Create(1f / 120));
        e = Vector.MultiplyAddEstimate(e, r, Vector.Create(1f / 24));
        e = Vector.MultiplyAddEstimate(e, r, Vector.Create(1f / 6));
        e = Vector.MultiplyAddEstimate(e, r, Vector.Create(0.5f));
        e = Vector.MultiplyAddEstimate(e, r, Vector<float>.One);
        e = Vector.MultiplyAddEstimate(e, r, Vector<float>.One);
        Vector<int> power = Vector.ConvertToInt32(n), half = power >> 1;
        return e * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> PowerOfTwo(Vector<int> n) => Vector.AsVectorSingle((n + Vector.Create(127)) << 23);

    private interface IVectorFunction
    {
        static abstract Vector<float> Of(Vector<float> x);
    }

    private readonly struct Silu : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x) => x / (Vector<float>.One + Exp(-x));
    }

    private readonly struct GeluTanh : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            // -2·√(2/π) and that times 0.044715.
            Vector<float> exponent = x * (Vector.Create(-1.5957691f) + x * x * Vector.Create(-0.071354816f));
            return x / (Vector<float>.One + Exp(exponent));
        }
    }

    private readonly struct Gelu : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            Vector<float> z = Vector.Abs(x) * Vector.Create(0.70710678f);
            Vector<float> t = Vector<float>.One / (Vector<float>.One + Vector.Create(0.3275911f) * z);
            Vector<float> half = Vector.Create(1.061405429f / 2);
            half = Vector.MultiplyAddEstimate(half, t, Vector.Create(-1.453152027f / 2));
            half = Vector.MultiplyAddEstimate(half, t, Vector.Create(1.421413741f / 2));
            half = Vector.MultiplyAddEstimate(half, t, Vector.Create(-0.284496736f / 2));
            half = Vector.MultiplyAddEstimate(half, t, Vector.Create(0.254829592f / 2));
            half = half * t * Exp(-z * z);
            return x * Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), half, Vector<float>.One - half);
        }
    }
}
