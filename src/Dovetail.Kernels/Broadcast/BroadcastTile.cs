using System.Runtime.CompilerServices;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.Broadcast;

/// <summary>
/// The register tile: one output of a panel of pixels. Each of its weights is broadcast and multiplied with the row of pixels
/// of its column, out of L1. The owner is an address, so that every pattern costs the same, and nothing is permuted.
/// </summary>
/// <typeparam name="TLanes">The instructions.</typeparam>
/// <typeparam name="TVector">A vector of pixels.</typeparam>
/// <typeparam name="TWidth">Vectors of a panel: 1, 2 or 4.</typeparam>
internal static unsafe class BroadcastTile<TLanes, TVector, TWidth>
    where TLanes : struct, IPixelLanes<TVector>
    where TVector : unmanaged
    where TWidth : struct, IConstant
{
    /// <summary>Pixels of a panel.</summary>
    public static int Pixels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Lanes * TWidth.Value;
    }

    /// <summary>Adds a block's terms to the sums of <paramref name="outputs"/> outputs.</summary>
    /// <param name="columns">[column][Pixels].</param>
    /// <param name="terms">Of the first output on.</param>
    /// <param name="outputs">One or more.</param>
    /// <param name="starts">[outputs] that the sums start from, or null: from what <paramref name="sums"/> holds.</param>
    /// <param name="sums">[outputs][Pixels].</param>
    /// <returns>The terms of the outputs behind.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TermStream Accumulate(float* columns, TermStream terms, int outputs, float* starts, float* sums)
    {
        float* weights = terms.Weights;
        ushort* places = terms.Columns;
        for (int m = 0; m < outputs; m++, sums += Pixels)
        {
            TVector sum0, sum1 = default, sum2 = default, sum3 = default;
            if (starts != null)
            {
                sum0 = TLanes.Broadcast(starts[m]);
                (sum1, sum2, sum3) = (sum0, sum0, sum0);
            }
            else
            {
                sum0 = TLanes.Load(sums);
                if (TWidth.Value > 1)
                    sum1 = TLanes.Load(sums + TLanes.Lanes);
                if (TWidth.Value > 2)
                    (sum2, sum3) = (TLanes.Load(sums + 2 * TLanes.Lanes), TLanes.Load(sums + 3 * TLanes.Lanes));
            }

            for (float* end = weights + terms.Counts[m]; weights < end; weights++, places++)
            {
                float* row = columns + (nint)(uint)*places * Pixels;
                TVector weight = TLanes.Broadcast(*weights);
                sum0 = TLanes.MultiplyAdd(weight, TLanes.Load(row), sum0);
                if (TWidth.Value > 1)
                    sum1 = TLanes.MultiplyAdd(weight, TLanes.Load(row + TLanes.Lanes), sum1);
                if (TWidth.Value > 2)
                {
                    sum2 = TLanes.MultiplyAdd(weight, TLanes.Load(row + 2 * TLanes.Lanes), sum2);
                    sum3 = TLanes.MultiplyAdd(weight, TLanes.Load(row + 3 * TLanes.Lanes), sum3);
                }
            }

            TLanes.Store(sums, sum0);
            if (TWidth.Value > 1)
                TLanes.Store(sums + TLanes.Lanes, sum1);
            if (TWidth.Value > 2)
            {
                TLanes.Store(sums + 2 * TLanes.Lanes, sum2);
                TLanes.Store(sums + 3 * TLanes.Lanes, sum3);
            }
        }

        return new TermStream(weights, places, terms.Counts + outputs);
    }

    /// <summary>Turns channels of a vector of pixels into rows: target[channel][Pixels].</summary>
    /// <typeparam name="T">float, or byte: then rows are made floats first.</typeparam>
    /// <param name="rows">[Lanes] where each pixel's channels start.</param>
    /// <param name="channel">The first channel.</param>
    /// <param name="channels">1 or more.</param>
    /// <param name="square">[Lanes][Lanes] of scratch memory.</param>
    /// <param name="target">Of the vector within the panel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Turn<T>(T** rows, int channel, int channels, float* square, float* target)
        where T : unmanaged
    {
        if (channels < TLanes.Lanes)
        {
            for (int c = 0; c < channels; c++)
                for (int lane = 0; lane < TLanes.Lanes; lane++)
                    target[c * Pixels + lane] = typeof(T) == typeof(byte)
                        ? ((byte**)rows)[lane][channel + c]
                        : ((float**)rows)[lane][channel + c];
            return;
        }

        float** squareRows = stackalloc float*[TLanes.Lanes];
        for (int lane = 0; typeof(T) == typeof(byte) && lane < TLanes.Lanes; lane++)
            squareRows[lane] = square + lane * TLanes.Lanes;
        for (int done = 0; done < channels; done += TLanes.Lanes)
        {
            int first = Math.Min(done, channels - TLanes.Lanes); // the last square may overlap the one before
            float* at = target + (nint)first * Pixels;
            if (typeof(T) == typeof(byte))
            {
                for (int lane = 0; lane < TLanes.Lanes; lane++)
                    TLanes.Store(squareRows[lane], TLanes.LoadBytes(((byte**)rows)[lane] + channel + first));
                TLanes.TurnSquare(squareRows, 0, at, Pixels);
            }
            else
            {
                TLanes.TurnSquare((float**)rows, channel + first, at, Pixels);
            }
        }
    }

    /// <summary>Adds sums that are whole numbers to totals of int32.</summary>
    /// <param name="sums">[outputs][Pixels].</param>
    /// <param name="totals">Likewise, bits of int32.</param>
    /// <param name="outputs">One or more.</param>
    /// <param name="isFirst">Totals start from zero.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fold(float* sums, float* totals, int outputs, bool isFirst)
    {
        for (int i = 0; i < outputs * Pixels; i += TLanes.Lanes)
            TLanes.Store(totals + i, TLanes.AddWholeNumbers(isFirst ? default : TLanes.Load(totals + i), TLanes.Load(sums + i)));
    }

    /// <summary>Ends the sums of a vector of outputs over a vector of pixels and writes them: y = clamp(sum + residual).</summary>
    /// <param name="sums">[Lanes] where the outputs' sums of the first pixel lie, [Pixels] each.</param>
    /// <param name="square">[Lanes][Lanes] of scratch memory.</param>
    /// <param name="end">Where they go.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float** sums, float* square, in SumEnd<float> end)
    {
        TLanes.TurnSquare(sums, 0, square, TLanes.Lanes);
        if (end.Outputs < TLanes.Lanes)
        {
            FinishPart(square, end);
            return;
        }

        TVector lowest = TLanes.Broadcast(end.Constants.Low), highest = TLanes.Broadcast(end.Constants.High);
        float* output = end.Output, residual = end.Residual;
        nint stride = end.Stride;
        for (float* behind = square + end.Pixels * TLanes.Lanes; square < behind; square += TLanes.Lanes, output += stride)
        {
            TVector values = TLanes.Load(square);
            if (residual != null)
            {
                values = TLanes.Add(values, TLanes.Load(residual));
                residual += stride;
            }

            TLanes.Store(output, TLanes.Clamp(values, lowest, highest));
        }
    }

    /// <summary>Likewise of totals of int32: y = round(clamp((total + start) · factor)) + zero point.</summary>
    /// <param name="totals">[Lanes] where the outputs' totals of the first pixel lie, [Pixels] each.</param>
    /// <param name="square">[Lanes][Lanes] of scratch memory.</param>
    /// <param name="end">Where they go.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float** totals, float* square, in SumEnd<byte> end)
    {
        TLanes.TurnSquare(totals, 0, square, TLanes.Lanes);
        LayerConstants constants = end.Constants;
        TVector starts = TLanes.Load((float*)constants.Starts + end.FirstOutput);
        float* factors = constants.Factors + end.FirstOutput;
        (float low, float high, byte zeroPoint) = (constants.Low, constants.High, constants.OutputZeroPoint);
        byte* output = end.Output;
        nint stride = end.Stride;
        byte* part = stackalloc byte[TLanes.Lanes];
        bool isWhole = end.Outputs == TLanes.Lanes;
        for (float* behind = square + end.Pixels * TLanes.Lanes; square < behind; square += TLanes.Lanes, output += stride)
        {
            TLanes.Requantize(TLanes.AddIntegers(TLanes.Load(square), starts), factors, low, high, zeroPoint, isWhole ? output : part);
            for (int m = 0; !isWhole && m < end.Outputs; m++)
                output[m] = part[m];
        }
    }

    // Apart from the whole vectors, whose loop a call would slow down.
    private static void FinishPart(float* square, in SumEnd<float> end)
    {
        (float low, float high) = (end.Constants.Low, end.Constants.High);
        for (int pixel = 0; pixel < end.Pixels; pixel++)
            for (int m = 0; m < end.Outputs; m++)
            {
                nint at = pixel * end.Stride + m;
                float sum = square[pixel * TLanes.Lanes + m], y = end.Residual == null ? sum : sum + end.Residual[at];
                end.Output[at] = y < low ? low : y > high ? high : y;
            }
    }
}
