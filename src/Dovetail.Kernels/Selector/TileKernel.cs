using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.Selector;

/// <summary>
/// The register tile of the selector kernels: TPixels pixels × TVectors vectors of outputs.
/// 1. Weights and owners of a block of outputs are streams in the order they are used:
///    [tap][window][step][vector][lane][slot of the step].
/// 2. Per tap, each pixel has a pointer to its row of inputs; the windows of a tap lie WindowStride apart.
/// 3. Each step loads TVectors weights and owners once, then for each pixel loads one window and, per vector,
///    selects and multiplies. All sums stay in registers.
/// 4. TStore says what sums start from (the bias) and takes them from the registers to memory (residual, activation,
///    requantization).
/// </summary>
internal static unsafe class TileKernel<TOps, TInput, TWeights, TOwners, TAcc, TStore>
    where TStore : struct, ITileStore<TAcc>
    where TOps : struct, ILaneOperations<TInput, TWeights, TOwners, TAcc>
    where TAcc : unmanaged
{
    /// <summary>Runs the tile of <paramref name="pixels"/> (1, 2, 4 or 7) × <paramref name="vectors"/> (1 or 2).</summary>
    /// <param name="rows">[taps][pixels] pointers to the inputs.</param>
    /// <param name="groupOffsetBytes">Added to every pointer: the convolution group's first channel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        int pixels, int vectors, in StreamShape shape, byte** rows, nint groupOffsetBytes, byte* weights, byte* owners, in TStore store)
    {
        TAcc* sums = stackalloc TAcc[MaxPixels * MaxVectors];
        switch (pixels * 10 + vectors)
        {
            case 72: Tile<Seven, Two>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            case 71: Tile<Seven, One>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            case 42: Tile<Four, Two>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            case 41: Tile<Four, One>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            case 22: Tile<Two, Two>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            case 21: Tile<Two, One>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            case 12: Row<Two>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            case 11: Row<One>(shape, rows, groupOffsetBytes, weights, owners, store, sums); break;
            default: throw new UnreachableException($"No tile of {pixels} pixels and {vectors} vectors.");
        }

        if (!store.IsWhole(vectors))
            store.FinishPart(sums, pixels, vectors);
    }

    private const int MaxPixels = 7, MaxVectors = 2;

    private static int StepElements
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TOps.Lanes * TOps.SlotsPerStep;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TPixels, TVectors>(
        in StreamShape shape, byte** rows, nint groupOffset, byte* weights, byte* owners, in TStore store, TAcc* sums)
        where TPixels : struct, IConstant
        where TVectors : struct, IConstant
    {
        int weightBytes = StepElements * TOps.ElementBytes, ownerBytes = StepElements;
        int windows = shape.Windows, steps = shape.Steps;
        nint stride = shape.WindowStrideBytes, last = shape.LastOffsetBytes;
        TAcc a0 = store.Start(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0;
        TAcc b0 = TVectors.Value > 1 ? store.Start(1) : default, b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0, b6 = b0;
        for (int tap = shape.Taps; tap > 0; tap--)
        {
            byte* r0 = rows[0] + groupOffset, r1 = rows[1] + groupOffset, r2 = null, r3 = null, r4 = null, r5 = null, r6 = null;
            if (TPixels.Value > 2)
            {
                r2 = rows[2] + groupOffset;
                r3 = rows[3] + groupOffset;
            }

            if (TPixels.Value > 4)
            {
                r4 = rows[4] + groupOffset;
                r5 = rows[5] + groupOffset;
                r6 = rows[6] + groupOffset;
            }

            rows += TPixels.Value;
            nint natural = 0;
            for (int window = windows; window > 0; window--)
            {
                nint at = Math.Min(natural, last);
                natural += stride;
                int step = steps;
                do
                {
                    TWeights w0 = TOps.LoadWeights(weights), w1 = default!;
                    TOwners o0 = TOps.LoadOwners(owners), o1 = default!;
                    if (TVectors.Value > 1)
                    {
                        w1 = TOps.LoadWeights(weights + weightBytes);
                        o1 = TOps.LoadOwners(owners + ownerBytes);
                    }

                    weights += TVectors.Value * weightBytes;
                    owners += TVectors.Value * ownerBytes;
                    TInput x = TOps.LoadInput(r0 + at);
                    a0 = TOps.MultiplyAdd(a0, x, o0, w0);
                    if (TVectors.Value > 1)
                        b0 = TOps.MultiplyAdd(b0, x, o1, w1);
                    x = TOps.LoadInput(r1 + at);
                    a1 = TOps.MultiplyAdd(a1, x, o0, w0);
                    if (TVectors.Value > 1)
                        b1 = TOps.MultiplyAdd(b1, x, o1, w1);
                    if (TPixels.Value > 2)
                    {
                        x = TOps.LoadInput(r2 + at);
                        a2 = TOps.MultiplyAdd(a2, x, o0, w0);
                        if (TVectors.Value > 1)
                            b2 = TOps.MultiplyAdd(b2, x, o1, w1);
                        x = TOps.LoadInput(r3 + at);
                        a3 = TOps.MultiplyAdd(a3, x, o0, w0);
                        if (TVectors.Value > 1)
                            b3 = TOps.MultiplyAdd(b3, x, o1, w1);
                    }

                    if (TPixels.Value > 4)
                    {
                        x = TOps.LoadInput(r4 + at);
                        a4 = TOps.MultiplyAdd(a4, x, o0, w0);
                        if (TVectors.Value > 1)
                            b4 = TOps.MultiplyAdd(b4, x, o1, w1);
                        x = TOps.LoadInput(r5 + at);
                        a5 = TOps.MultiplyAdd(a5, x, o0, w0);
                        if (TVectors.Value > 1)
                            b5 = TOps.MultiplyAdd(b5, x, o1, w1);
                        x = TOps.LoadInput(r6 + at);
                        a6 = TOps.MultiplyAdd(a6, x, o0, w0);
                        if (TVectors.Value > 1)
                            b6 = TOps.MultiplyAdd(b6, x, o1, w1);
                    }
                }
                while (--step > 0);
            }
        }

        if (store.IsWhole(TVectors.Value))
        {
            Finish<TVectors>(store, 0, a0, b0);
            Finish<TVectors>(store, 1, a1, b1);
            if (TPixels.Value > 2)
            {
                Finish<TVectors>(store, 2, a2, b2);
                Finish<TVectors>(store, 3, a3, b3);
            }

            if (TPixels.Value > 4)
            {
                Finish<TVectors>(store, 4, a4, b4);
                Finish<TVectors>(store, 5, a5, b5);
                Finish<TVectors>(store, 6, a6, b6);
            }
        }
        else
        {
            Keep<TVectors>(sums, 0, a0, b0);
            Keep<TVectors>(sums, 1, a1, b1);
            if (TPixels.Value > 2)
            {
                Keep<TVectors>(sums, 2, a2, b2);
                Keep<TVectors>(sums, 3, a3, b3);
            }

            if (TPixels.Value > 4)
            {
                Keep<TVectors>(sums, 4, a4, b4);
                Keep<TVectors>(sums, 5, a5, b5);
                Keep<TVectors>(sums, 6, a6, b6);
            }
        }
    }

    /// <summary>One pixel: four windows at a time, each with its own sums, hide the latency of the additions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<TVectors>(
        in StreamShape shape, byte** rows, nint groupOffset, byte* weights, byte* owners, in TStore store, TAcc* sums)
        where TVectors : struct, IConstant
    {
        nint weightBytes = StepElements * TOps.ElementBytes, ownerBytes = StepElements;
        nint weightWindow = TVectors.Value * weightBytes * shape.Steps, ownerWindow = TVectors.Value * ownerBytes * shape.Steps;
        nint stride = shape.WindowStrideBytes, last = shape.LastOffsetBytes;
        int steps = shape.Steps;
        TAcc a0 = store.Start(0), a1 = default, a2 = default, a3 = default;
        TAcc b0 = TVectors.Value > 1 ? store.Start(1) : default, b1 = default, b2 = default, b3 = default;
        for (int tap = 0; tap < shape.Taps; tap++)
        {
            byte* row = rows[tap] + groupOffset;
            nint natural = 0;
            int window = shape.Windows;
            for (; window >= 4; window -= 4)
            {
                TInput x0 = TOps.LoadInput(row + Math.Min(natural, last));
                TInput x1 = TOps.LoadInput(row + Math.Min(natural + stride, last));
                TInput x2 = TOps.LoadInput(row + Math.Min(natural + 2 * stride, last));
                TInput x3 = TOps.LoadInput(row + Math.Min(natural + 3 * stride, last));
                natural += 4 * stride;
                int step = steps;
                do
                {
                    a0 = TOps.MultiplyAdd(a0, x0, TOps.LoadOwners(owners), TOps.LoadWeights(weights));
                    a1 = TOps.MultiplyAdd(a1, x1, TOps.LoadOwners(owners + ownerWindow), TOps.LoadWeights(weights + weightWindow));
                    a2 = TOps.MultiplyAdd(a2, x2, TOps.LoadOwners(owners + 2 * ownerWindow), TOps.LoadWeights(weights + 2 * weightWindow));
                    a3 = TOps.MultiplyAdd(a3, x3, TOps.LoadOwners(owners + 3 * ownerWindow), TOps.LoadWeights(weights + 3 * weightWindow));
                    weights += weightBytes;
                    owners += ownerBytes;
                    if (TVectors.Value > 1)
                    {
                        b0 = TOps.MultiplyAdd(b0, x0, TOps.LoadOwners(owners), TOps.LoadWeights(weights));
                        b1 = TOps.MultiplyAdd(b1, x1, TOps.LoadOwners(owners + ownerWindow), TOps.LoadWeights(weights + weightWindow));
                        b2 = TOps.MultiplyAdd(
                            b2, x2, TOps.LoadOwners(owners + 2 * ownerWindow), TOps.LoadWeights(weights + 2 * weightWindow));
                        b3 = TOps.MultiplyAdd(
                            b3, x3, TOps.LoadOwners(owners + 3 * ownerWindow), TOps.LoadWeights(weights + 3 * weightWindow));
                        weights += weightBytes;
                        owners += ownerBytes;
                    }
                }
                while (--step > 0);
                weights += 3 * weightWindow;
                owners += 3 * ownerWindow;
            }

            for (; window > 0; window--)
            {
                TInput x = TOps.LoadInput(row + Math.Min(natural, last));
                natural += stride;
                for (int step = steps; step > 0; step--)
                {
                    a0 = TOps.MultiplyAdd(a0, x, TOps.LoadOwners(owners), TOps.LoadWeights(weights));
                    weights += weightBytes;
                    owners += ownerBytes;
                    if (TVectors.Value > 1)
                    {
                        b0 = TOps.MultiplyAdd(b0, x, TOps.LoadOwners(owners), TOps.LoadWeights(weights));
                        weights += weightBytes;
                        owners += ownerBytes;
                    }
                }
            }
        }

        a0 = TOps.Add(TOps.Add(a0, a1), TOps.Add(a2, a3));
        if (TVectors.Value > 1)
            b0 = TOps.Add(TOps.Add(b0, b1), TOps.Add(b2, b3));
        if (store.IsWhole(TVectors.Value))
            Finish<TVectors>(store, 0, a0, b0);
        else
            Keep<TVectors>(sums, 0, a0, b0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TVectors>(in TStore store, int pixel, TAcc first, TAcc second)
        where TVectors : struct, IConstant
    {
        store.Finish(first, pixel, 0);
        if (TVectors.Value > 1)
            store.Finish(second, pixel, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TVectors>(TAcc* sums, int pixel, TAcc first, TAcc second)
        where TVectors : struct, IConstant
    {
        sums[pixel * TVectors.Value] = first;
        if (TVectors.Value > 1)
            sums[pixel * 2 + 1] = second;
    }
}
