using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dovetail.Benchmarking;

/// <summary>
/// What the machine's multipliers do at most: fused multiply-adds of fp32 vectors in registers, 12 independent chains a
/// thread, so that neither latency nor memory counts. The best block of many, since nothing is faster than the peak.
/// </summary>
public static class PeakArithmetic
{
    private const int Chains = 12, Steps = 20_000, Blocks = 100;

    private static int Bits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>What is measured, in words.</summary>
    public static string Method { get; } =
        $"best of {Blocks} blocks of {Steps:N0} steps of {Chains} independent {Bits}-bit fp32 fused multiply-adds in registers, all "
        + "threads at once";

    /// <summary>fp32 GFLOP/s of all threads together; a fused multiply-add counts two.</summary>
    /// <param name="threads">≥ 1.</param>
    /// <param name="blocks">Of which the best counts; fewer are faster and less sure.</param>
    public static double MeasureGflops(int threads, int blocks = Blocks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(blocks, 1);
        var rates = new double[threads];
        using var start = new Barrier(threads);
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            rates[i] = Bits switch
            {
                512 => Best<Wide, Vector512<float>>(16, blocks),
                256 => Best<Middle, Vector256<float>>(8, blocks),
                _ => Best<Narrow, Vector128<float>>(4, blocks),
            };
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();
        return rates.Sum();
    }

    private static double Best<TOps, TVector>(int lanes, int blocks)
        where TOps : struct, IMultiplyAdd<TVector>
    {
        double best = 0;
        float sum = 1;
        for (int block = 0; block < blocks; block++)
        {
            long begin = Stopwatch.GetTimestamp();
            sum = RunChains<TOps, TVector>(sum);
            best = Math.Max(best, 2.0 * lanes * Chains * Steps / Stopwatch.GetElapsedTime(begin).TotalNanoseconds);
        }

        return best;
    }

    // x ← x/2 + s converges to 2s: no value overflows or becomes denormal. Each chain is a variable, so that it lives in
    // a register; the result depends on all of them and on the block before, so that none is dropped.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float RunChains<TOps, TVector>(float before)
        where TOps : struct, IMultiplyAdd<TVector>
    {
        TVector half = TOps.Create(0.5f), s = TOps.Create(before > 0 ? 1 : 0.5f);
        TVector a = s, b = s, c = s, d = s, e = s, f = s, g = s, h = s, i = s, j = s, k = s, l = s;
        for (int step = 0; step < Steps; step++)
        {
            a = TOps.MultiplyAdd(a, half, s);
            b = TOps.MultiplyAdd(b, half, s);
            c = TOps.MultiplyAdd(c, half, s);
            d = TOps.MultiplyAdd(d, half, s);
            e = TOps.MultiplyAdd(e, half, s);
            f = TOps.MultiplyAdd(f, half, s);
            g = TOps.MultiplyAdd(g, half, s);
            h = TOps.MultiplyAdd(h, half, s);
            i = TOps.MultiplyAdd(i, half, s);
            j = TOps.MultiplyAdd(j, half, s);
            k = TOps.MultiplyAdd(k, half, s);
            l = TOps.MultiplyAdd(l, half, s);
        }

        return TOps.First(a) + TOps.First(b) + TOps.First(c) + TOps.First(d) + TOps.First(e) + TOps.First(f)
            + TOps.First(g) + TOps.First(h) + TOps.First(i) + TOps.First(j) + TOps.First(k) + TOps.First(l);
    }

    private interface IMultiplyAdd<TVector>
    {
        static abstract TVector Create(float value);

        static abstract TVector MultiplyAdd(TVector x, TVector y, TVector z);

        static abstract float First(TVector vector);
    }

    private readonly struct Wide : IMultiplyAdd<Vector512<float>>
    {
        public static Vector512<float> Create(float value) => Vector512.Create(value);

        public static Vector512<float> MultiplyAdd(Vector512<float> x, Vector512<float> y, Vector512<float> z) =>
            Vector512.FusedMultiplyAdd(x, y, z);

        public static float First(Vector512<float> vector) => vector[0];
    }

    private readonly struct Middle : IMultiplyAdd<Vector256<float>>
    {
        public static Vector256<float> Create(float value) => Vector256.Create(value);

        public static Vector256<float> MultiplyAdd(Vector256<float> x, Vector256<float> y, Vector256<float> z) =>
            Vector256.FusedMultiplyAdd(x, y, z);

        public static float First(Vector256<float> vector) => vector[0];
    }

    private readonly struct Narrow : IMultiplyAdd<Vector128<float>>
    {
        public static Vector128<float> Create(float value) => Vector128.Create(value);

        public static Vector128<float> MultiplyAdd(Vector128<float> x, Vector128<float> y, Vector128<float> z) =>
            Vector128.FusedMultiplyAdd(x, y, z);

        public static float First(Vector128<float> vector) => vector[0];
    }
}
