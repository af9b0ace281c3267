using System.Buffers;
using System.Runtime.CompilerServices;
using Dovetail.Core.Packing;

namespace Dovetail.Kernels.Selector;

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

    private readonly SelectorStreams _streams;
    private readonly LayerConstants _constants;
    private readonly AlignedBuffer _padding;
    private readonly int _rowReachBytes;

    public SelectorLayer(string name, PackedTensor weights, SelectorStreams streams, LayerConstants constants, byte padding)
        : base(name, weights.Layout)
    {
        (_streams, _constants) = (streams, constants);
        int channels = Shape.Channels;
        _rowReachBytes = (InputChannels - channels + (TOps.LoadsFullWindow ? Math.Max(channels, TOps.Window) : channels)) * sizeof(T);
        _padding = new AlignedBuffer((nuint)_rowReachBytes);
        new Span<byte>(_padding.Pointer, (int)_padding.Length).Fill(padding);
    }

    private int Blocks => _streams.BlocksPerGroup * Shape.Groups;

    internal override int TaskCount(in LayerCall call)
    {
        if (IsSmall(call))
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

        int pixelBytes = InputChannels * sizeof(T);
        (long tailStart, int tailLength) = InputTail.Of(call.InputPixels * pixelBytes, pixelBytes, _rowReachBytes);
        int tableBytes = (panelPixels * Shape.Taps + RowPointers.Slack) * sizeof(byte*);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(tableBytes + (tailLength == 0 ? 0 : tailLength + TOps.Window * sizeof(T)));
        fixed (byte* memory = scratch)
        {
            var rows = (byte**)memory;
            byte* tail = tailLength == 0 ? null : memory + tableBytes;
            if (tail != null)
                Unsafe.CopyBlockUnaligned(tail, call.Input + tailStart, (uint)tailLength);
            var pointers = new RowPointers(call.Geometry, call.Input, pixelBytes, _padding.Pointer, tail, tailStart);
            for (int panel = firstPanel; panel < panelEnd; panel++)
            {
                int first = panel * panelPixels, count = Math.Min(panelPixels, call.Pixels - first);
                FillRows(pointers, first, count, rows);
                for (int block = firstBlock; block < blockEnd; block++)
                    RunBlock(call, block, first, count, rows);
            }
        }

        ArrayPool<byte>.Shared.Return(scratch);
    }

    private (int PanelPixels, int Panels, int Chunks) Partition(in LayerCall call)
    {
        int panelPixels = Math.Min(PanelTiles * TOps.TilePixels, call.Pixels);
        int panels = (call.Pixels + panelPixels - 1) / panelPixels;
        int chunks = Math.Min(Blocks, (TasksWanted + panels - 1) / panels);
        return (panelPixels, panels, chunks);
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
            FunctionPass.Apply(
                _constants.Function, (float*)call.Output + (nint)first * _constants.Outputs + firstOutput, count, outputs,
                _constants.Outputs);
    }

    /// <summary>Fills [tile][tap][pixel] pointers for the panel's pixels.</summary>
    private void FillRows(in RowPointers pointers, int first, int count, byte** rows)
    {
        for (int done = 0; done < count;)
        {
            int pixels = TileOf(count - done);
            pointers.Fill(first + done, pixels, rows + (nint)done * Shape.Taps);
            done += pixels;
        }
    }

    public override void Dispose()
    {
        _streams.Dispose();
        _constants.Dispose();
        _padding.Dispose();
    }
}
