using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using Dovetail.Core.Packing;
using Dovetail.Kernels.Decode;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.Broadcast;

/// <summary>
/// The driver of the broadcast kernels: convolution and matrix product on one inner loop, every pattern.
/// 1. Output pixels are cut into panels of a few vectors. The channels of a panel's pixels are turned into rows of pixels, a
///    block of columns (tap, channel) at a time, so that a block stays in L1 and L2.
/// 2. All outputs add the block's terms to their sums, which wait in memory between blocks.
/// 3. After the last block the sums of a vector of outputs are turned back and written.
/// 4. Bytes are multiplied as floats: a block's sum is at most 512·255·128 &lt; 2²⁴, so it is exact. Totals over blocks are int32.
/// 5. A task is a range of panels × a range of outputs. Tasks write disjoint outputs; ranges of outputs turn the same inputs
///    each, so outputs are cut only where there is one panel.
/// </summary>
internal sealed unsafe class BroadcastLayer<T, TLanes, TVector> : PreparedLayer<T>
    where T : unmanaged
    where TLanes : struct, IPixelLanes<TVector>
    where TVector : unmanaged
{
    /// <summary>Columns of a block: 64 KiB of rows with panels of 32 pixels.</summary>
    private const int ColumnsAtMost = 512;

    private const int TasksWanted = 8;

    /// <summary>Outputs that outweigh turning a panel once more.</summary>
    private const int OutputsOfRange = 256;

    private const int Alignment = 64;

    private readonly BroadcastStreams _streams;
    private readonly LayerConstants _constants;
    private readonly AlignedBuffer _padding;
    private readonly AlignedBuffer _zeros;
    private readonly int _mostColumns;

    /// <param name="name">Of the registry.</param>
    /// <param name="weights">Packed; of bytes as floats.</param>
    /// <param name="constants">Owned from here on.</param>
    /// <param name="padding">What a padding pixel holds, a byte.</param>
    public BroadcastLayer(string name, PackedTensor<float> weights, LayerConstants constants, byte padding)
        : base(name, weights.Layout)
    {
        _constants = constants;
        _streams = BroadcastStreams.Create(new TermList<float>(weights), Shape, ColumnsAtMost);
        _mostColumns = _streams.Blocks.Max(block => block.Columns);
        _padding = new AlignedBuffer((nuint)(InputChannels * sizeof(T)));
        new Span<byte>(_padding.Pointer, (int)_padding.Length).Fill(padding);
        _zeros = new AlignedBuffer((nuint)TLanes.Lanes * sizeof(float));
    }

    private static int WidestPanel => Math.Min(4, 32 / TLanes.Lanes);

    internal override int TaskCount(in LayerCall call)
    {
        if (IsSmall(call))
            return 1;
        (int panelRanges, int outputRanges) = Partition(call);
        return panelRanges * outputRanges;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override void RunTask(in LayerCall call, int task)
    {
        int vectors = VectorsOf(call), panels = PanelCount(vectors), outputVectors = (Shape.Outputs + TLanes.Lanes - 1) / TLanes.Lanes;
        (int panelRanges, int outputRanges) = TaskCount(call) == 1 ? (1, 1) : Partition(call);
        (int panelRange, int outputRange) = Math.DivRem(task, outputRanges);
        int firstOutput = outputVectors * outputRange / outputRanges * TLanes.Lanes;
        int outputEnd = Math.Min(Shape.Outputs, outputVectors * (outputRange + 1) / outputRanges * TLanes.Lanes);

        int pixels = WidestPanel * TLanes.Lanes;
        int waitingRows = _streams.Blocks.Length > 1
            ? Math.Min(Shape.OutputsPerGroup, outputEnd - firstOutput) + TLanes.Lanes
            : TLanes.Lanes;
        int rowsBytes = (pixels * Shape.Taps + RowPointers.Slack) * sizeof(byte*) / Alignment * Alignment + Alignment;
        int columnsBytes = _mostColumns * pixels * sizeof(float), squareBytes = TLanes.Lanes * TLanes.Lanes * sizeof(float);
        int sumsBytes = TLanes.Lanes * pixels * sizeof(float);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(
            Alignment + rowsBytes + columnsBytes + squareBytes + sumsBytes + waitingRows * pixels * sizeof(float));
        fixed (byte* memory = scratch)
        {
            var rows = (byte*)(((nint)memory + Alignment - 1) & -Alignment);
            byte* columns = rows + rowsBytes, square = columns + columnsBytes, sums = square + squareBytes;
            var work = new PanelScratch((T**)rows, (float*)columns, (float*)square, (float*)sums, (float*)(sums + sumsBytes));
            var pointers = new RowPointers(call.Geometry, call.Input, InputChannels * sizeof(T), _padding.Pointer, null, 0);
            for (int panel = panels * panelRange / panelRanges; panel < panels * (panelRange + 1) / panelRanges; panel++)
            {
                (int firstVector, int width) = PanelOf(panel, vectors);
                int first = firstVector * TLanes.Lanes, count = Math.Min(width * TLanes.Lanes, call.Pixels - first);
                pointers.Fill(first, count, (byte**)work.Rows);
                if (width == 1)
                    RunPanel<One>(call, first, count, firstOutput, outputEnd, work);
                else if (width == 2)
                    RunPanel<Two>(call, first, count, firstOutput, outputEnd, work);
                else
                    RunPanel<Four>(call, first, count, firstOutput, outputEnd, work);
            }
        }

        ArrayPool<byte>.Shared.Return(scratch);
    }

    private static int VectorsOf(in LayerCall call) => (call.Pixels + TLanes.Lanes - 1) / TLanes.Lanes;

    private static int PanelCount(int vectors) => (vectors + WidestPanel - 1) / WidestPanel;

    /// <summary>The last panel is as wide as a power of two that holds what is left: a pass over the weights costs more than empty
    /// lanes.</summary>
    private static (int FirstVector, int Width) PanelOf(int panel, int vectors)
    {
        int first = panel * WidestPanel, left = Math.Min(WidestPanel, vectors - first);
        return (first, (int)BitOperations.RoundUpToPowerOf2((uint)left));
    }

    private (int PanelRanges, int OutputRanges) Partition(in LayerCall call)
    {
        int panelRanges = Math.Min(TasksWanted, PanelCount(VectorsOf(call)));
        return (panelRanges, panelRanges > 1 ? 1 : Math.Clamp(Shape.Outputs / OutputsOfRange, 1, TasksWanted));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunPanel<TWidth>(in LayerCall call, int first, int count, int firstOutput, int outputEnd, in PanelScratch work)
        where TWidth : struct, IConstant
    {
        for (int group = firstOutput / Shape.OutputsPerGroup; group * Shape.OutputsPerGroup < outputEnd; group++)
        {
            int from = Math.Max(firstOutput, group * Shape.OutputsPerGroup), to = Math.Min(outputEnd, (group + 1) * Shape.OutputsPerGroup);
            for (int block = 0; block < _streams.Blocks.Length; block++)
            {
                TurnBlock<TWidth>(_streams.Blocks[block], group, count, work);
                AddBlock<TWidth>(call, block, first, count, from, to, work);
            }
        }

        if (typeof(T) == typeof(float) && _constants.Function != ActivationKind.None)
            FunctionPass.Apply(
                _constants.Function, (float*)call.Output + (nint)first * Shape.Outputs + firstOutput, count, outputEnd - firstOutput,
                Shape.Outputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TurnBlock<TWidth>(ColumnBlock block, int group, int count, in PanelScratch work)
        where TWidth : struct, IConstant
    {
        int panelPixels = BroadcastTile<TLanes, TVector, TWidth>.Pixels, channel = group * Shape.Channels + block.FirstChannel;
        T** lanes = stackalloc T*[TLanes.Lanes];
        for (int tap = 0; tap < block.Taps; tap++)
            for (int vector = 0; vector < TWidth.Value; vector++)
            {
                T** rows = work.Rows + (nint)(block.FirstTap + tap) * count + vector * TLanes.Lanes;
                int there = count - vector * TLanes.Lanes;
                if (there < TLanes.Lanes)
                {
                    for (int lane = 0; lane < TLanes.Lanes; lane++)
                        lanes[lane] = lane < there ? rows[lane] : (T*)_padding.Pointer;
                    rows = lanes;
                }

                float* target = work.Columns + (nint)tap * block.Channels * panelPixels + vector * TLanes.Lanes;
                BroadcastTile<TLanes, TVector, TWidth>.Turn(rows, channel, block.Channels, work.Square, target);
            }
    }

    /// <summary>Adds a block's terms to the sums of outputs of one group; after the last block, ends them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddBlock<TWidth>(in LayerCall call, int block, int first, int count, int from, int to, in PanelScratch work)
        where TWidth : struct, IConstant
    {
        int panelPixels = BroadcastTile<TLanes, TVector, TWidth>.Pixels;
        bool isLast = block == _streams.Blocks.Length - 1, isOnly = _streams.Blocks.Length == 1;
        float** lanes = stackalloc float*[TLanes.Lanes];
        TermStream terms = _streams.Terms(from, block);
        for (int m = from; m < to; m += TLanes.Lanes)
        {
            int outputs = Math.Min(TLanes.Lanes, to - m);
            float* sums = work.Waiting + (isOnly ? 0 : (nint)(m - from) * panelPixels);
            if (typeof(T) == typeof(float))
            {
                float* starts = block == 0 ? (float*)_constants.Starts + m : null;
                terms = BroadcastTile<TLanes, TVector, TWidth>.Accumulate(work.Columns, terms, outputs, starts, sums);
            }
            else
            {
                terms = BroadcastTile<TLanes, TVector, TWidth>.Accumulate(work.Columns, terms, outputs, (float*)_zeros.Pointer, work.Sums);
                BroadcastTile<TLanes, TVector, TWidth>.Fold(work.Sums, sums, outputs, isFirst: block == 0);
            }

            for (int pixel = 0; isLast && pixel < count; pixel += TLanes.Lanes)
            {
                for (int lane = 0; lane < TLanes.Lanes; lane++)
                    lanes[lane] = sums + Math.Min(lane, outputs - 1) * panelPixels + pixel;
                int pixels = Math.Min(TLanes.Lanes, count - pixel);
                if (typeof(T) == typeof(float))
                    BroadcastTile<TLanes, TVector, TWidth>.Finish(
                        lanes, work.Square, new SumEnd<float>(call, _constants, first + pixel, pixels, m, outputs));
                else
                    BroadcastTile<TLanes, TVector, TWidth>.Finish(
                        lanes, work.Square, new SumEnd<byte>(call, _constants, first + pixel, pixels, m, outputs));
            }
        }
    }

    public override void Dispose()
    {
        _streams.Dispose();
        _constants.Dispose();
        _padding.Dispose();
        _zeros.Dispose();
    }

    /// <summary>
    /// Memory of a task: row pointers [tap][pixel], turned columns [column][pixel], a square [lane][lane], a block's sums
    /// [lane][pixel], and sums that wait for more blocks [output][pixel].
    /// </summary>
    private readonly struct PanelScratch(T** rows, float* columns, float* square, float* sums, float* waiting)
    {
        public readonly T** Rows = rows;
        public readonly float* Columns = columns;
        public readonly float* Square = square;
        public readonly float* Sums = sums;
        public readonly float* Waiting = waiting;
    }
}
