using System.Diagnostics;
using System.Runtime.CompilerServices;
using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;

namespace Dovetail.Runtime.Kernels.Simd;

/// <summary>
/// The driver of every selector kernel: convolution and matrix product on one inner loop.
/// 1. A convolution is, per tap, a gather of row pointers: output pixel p at tap t reads the channels of one input
///    pixel, or a row of padding. A matrix product has one tap.
/// 2. Output pixels are cut into panels of a few register tiles; the pointers of a panel, [tile][tap][pixel], are made
///    once. A panel's inputs stay in L2 and a block's weights in L1 while all tiles of the panel pass.
/// 3. A task is a panel × a range of output blocks. Tasks write disjoint outputs.
/// 4. With fewer channels than a window a load reads behind its row (lanes that are never selected). Rows so close to
///    the end of the input that this would leave the buffer are read from a copy instead.
/// </summary>
internal sealed unsafe class SelectorLayer<T, TOps, TInput, TWeights, TOwners, TAcc, TStore> : PreparedLayer<T>
    where T : unmanaged
    where TOps : struct, ILaneOperations<TInput, TWeights, TOwners, TAcc>
    where TAcc : unmanaged
    where TStore : struct, ITileStore<TAcc>, IBoundStore<TStore>
{
    private const int VectorsPerBlock = 2;
    private const int PanelTiles = 8;
    private const int TasksWanted = 4;

    /// <summary>Multiply-accumulates below which a run is not worth splitting: some 10 µs.</summary>
    private const long SmallWork = 400_000;

    private readonly SelectorStreams _streams;
    private readonly LayerConstants _constants;
    private readonly AlignedBuffer _padding;
    private readonly long _usefulPerPixel;
    private readonly int _rowReach;

    public SelectorLayer(string name, PackedTensor weights, SelectorStreams streams, LayerConstants constants, byte padding)
        : base(name, weights.Layout)
    {
        (_streams, _constants) = (streams, constants);
        _usefulPerPixel = weights.Layout.ValueCount;
        int channels = Shape.Channels;
        _rowReach = InputChannels - channels + (TOps.LoadsFullWindow ? Math.Max(channels, TOps.Window) : channels);
        _padding = new AlignedBuffer((nuint)_rowReach * (nuint)sizeof(T));
        new Span<byte>(_padding.Pointer, (int)_padding.Length).Fill(padding);
    }

    private int InputChannels => Shape.Channels * Shape.Groups;

    private int Blocks => _streams.BlocksPerGroup * Shape.Groups;

    internal override int TaskCount(in LayerCall call)
    {
        if (_usefulPerPixel * call.Pixels < SmallWork)
            return 1;
        (_, int panels, int chunks) = Partition(call);
        return panels * chunks;
    }

    internal override void RunTask(in LayerCall call, int task)
    {
        (int panelPixels, int panels, int chunks) = Partition(call);
        bool whole = TaskCount(call) == 1;
        int firstPanel = whole ? 0 : task / chunks, panelEnd = whole ? panels : firstPanel + 1;
        int firstBlock = whole ? 0 : Blocks * (task % chunks) / chunks;
        int blockEnd = whole ? Blocks : Blocks * (task % chunks + 1) / chunks;

        (long tailStart, int tailLength) = Tail(call);
        nuint tableBytes = (nuint)(panelPixels * Shape.Taps) * (nuint)sizeof(byte*);
        nuint tailBytes = (nuint)(tailLength == 0 ? 0 : tailLength + TOps.Window) * (nuint)sizeof(T);
        using var scratch = new AlignedBuffer(tableBytes + tailBytes);
        var rows = (byte**)scratch.Pointer;
        byte* tail = scratch.Pointer + tableBytes;
        Unsafe.CopyBlockUnaligned(tail, call.Input + tailStart * sizeof(T), (uint)(tailLength * sizeof(T)));
        for (int panel = firstPanel; panel < panelEnd; panel++)
        {
            int first = panel * panelPixels, count = Math.Min(panelPixels, call.Pixels - first);
            FillRows(call, first, count, rows, tailLength == 0 ? long.MaxValue : tailStart, tail);
            for (int block = firstBlock; block < blockEnd; block++)
                RunBlock(call, block, first, count, rows);
        }
    }

    private (int PanelPixels, int Panels, int Chunks) Partition(in LayerCall call)
    {
        int panelPixels = Math.Min(PanelTiles * TOps.TilePixels, call.Pixels);
        int panels = (call.Pixels + panelPixels - 1) / panelPixels;
        int chunks = Math.Min(Blocks, (TasksWanted + panels - 1) / panels);
        return (panelPixels, panels, chunks);
    }

    /// <summary>From which element on rows are read from a copy, and how many elements that copy has.</summary>
    private (long Start, int Length) Tail(in LayerCall call)
    {
        if (_rowReach == InputChannels)
            return (0, 0);
        long total = (long)call.Batch * call.Geometry.InputHeight * call.Geometry.InputWidth * InputChannels;
        long start = total < _rowReach ? 0 : ((total - _rowReach) / InputChannels + 1) * InputChannels;
        return (start, (int)(total - start));
    }

    private static int TileOf(int pixelsLeft) =>
        pixelsLeft >= TOps.TilePixels ? TOps.TilePixels : pixelsLeft >= 4 ? 4 : pixelsLeft >= 2 ? 2 : 1;

    // Compiled in full at once: a first run should not wait for tiers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunBlock(in LayerCall call, int block, int first, int count, byte** rows)
    {
        (int group, int inGroup) = Math.DivRem(block, _streams.BlocksPerGroup);
        int vectors = _streams.VectorsOf(inGroup), firstVector = group * _streams.VectorsPerGroup + inGroup * VectorsPerBlock;
        byte* weights = _streams.Weights.Pointer + (nint)firstVector * _streams.WeightVectorBytes;
        byte* owners = _streams.Owners.Pointer + (nint)firstVector * _streams.OwnerVectorBytes;
        int firstInGroup = inGroup * VectorsPerBlock * TOps.Lanes;
        int outputs = Math.Min(vectors * TOps.Lanes, Shape.OutputsPerGroup - firstInGroup);
        nint groupOffset = (nint)group * Shape.Channels * sizeof(T);
        int firstOutput = group * Shape.OutputsPerGroup + firstInGroup;
        for (int done = 0; done < count;)
        {
            int pixels = TileOf(count - done);
            TStore store = TStore.Bind(_constants, call, first + done, firstOutput, outputs);
            TileKernel<TOps, TInput, TWeights, TOwners, TAcc, TStore>.Run(
                pixels, vectors, _streams.Shape, rows + (nint)done * Shape.Taps, groupOffset, weights, owners, store);
            done += pixels;
        }

        if (typeof(T) == typeof(float) && _constants.Function != ActivationKind.None)
            FunctionPass.Apply(_constants.Function, (float*)call.Output + (nint)first * _constants.Outputs + firstOutput, count, outputs, _constants.Outputs);
    }

    /// <summary>Fills [tile][tap][pixel] pointers for the panel's pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillRows(in LayerCall call, int first, int count, byte** rows, long tailStart, byte* tail)
    {
        ConvolutionGeometry g = call.Geometry;
        int taps = Shape.Taps, outputWidth = g.OutputWidth, outputPixels = g.OutputPixels;
        int inputHeight = g.InputHeight, inputWidth = g.InputWidth, inputChannels = InputChannels;
        byte* tailShift = tail - tailStart * sizeof(T);
        for (int done = 0; done < count;)
        {
            int tile = TileOf(count - done);
            for (int i = 0; i < tile; i++)
            {
                (int image, int inImage) = Math.DivRem(first + done + i, outputPixels);
                (int oy, int ox) = Math.DivRem(inImage, outputWidth);
                int top = oy * g.StrideHeight - g.PadTop, left = ox * g.StrideWidth - g.PadLeft;
                byte** target = rows + (nint)done * taps + i;
                for (int ky = 0; ky < g.KernelHeight; ky++)
                {
                    int y = top + ky * g.DilationHeight;
                    long line = ((long)image * inputHeight + y) * inputWidth;
                    for (int kx = 0; kx < g.KernelWidth; kx++, target += tile)
                    {
                        int x = left + kx * g.DilationWidth;
                        if ((uint)y >= (uint)inputHeight || (uint)x >= (uint)inputWidth)
                        {
                            *target = _padding.Pointer;
                            continue;
                        }

                        long element = (line + x) * inputChannels;
                        Debug.Assert(element >= 0);
                        *target = (element < tailStart ? call.Input : tailShift) + element * sizeof(T);
                    }
                }
            }

            done += tile;
        }
    }

    public override void Dispose()
    {
        _streams.Dispose();
        _constants.Dispose();
        _padding.Dispose();
    }
}
