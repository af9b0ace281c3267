using System.Buffers;
using System.Runtime.CompilerServices;
using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Runtime.Kernels.Simd;

namespace Dovetail.Runtime.Kernels.MachineCode;

/// <summary>
/// The driver of the emitted tiles: convolution and matrix product on one inner loop.
/// 1. Output pixels are cut into tiles of nearly equal size, at most <see cref="TileEmitter.MaxPixels"/>.
/// 2. A tile's inputs stay in L1 while all blocks of outputs pass over them; weights and owners stream from L2. Where
///    the inputs of a tile would not fit, they are cut into chunks of taps, or of windows, and sums wait in memory.
/// 3. A task is a range of tiles × a range of blocks. Tasks write disjoint outputs.
/// </summary>
internal sealed unsafe class EmittedLayer<T> : PreparedLayer<T>
    where T : unmanaged
{
    private const int VectorsPerBlock = TileEmitter.MaxVectors, Lanes = 16, TasksWanted = 8;

    /// <summary>Tiles whose row pointers are made at once.</summary>
    private const int PanelTiles = 8;

    /// <summary>Bytes of a tile's inputs that L1 keeps beside the streams of weights and owners.</summary>
    private const int ChunkBytes = 24 << 10;

    /// <summary>Blocks of outputs from which on inputs are read often enough to cut them into chunks.</summary>
    private const int ChunkedBlocks = 4;

    /// <summary>Owners of this many windows are never taken apart, whatever the pattern.</summary>
    private const int WindowsPerGroup = 4;

    /// <summary>4 bits of pixels, one each of vectors, masks, resuming, suspending, residual.</summary>
    private const int FunctionBits = 9;

    /// <summary>Multiply-accumulates below which a run is not worth splitting: some 10 µs.</summary>
    private const long SmallWork = 400_000;

    private readonly TileArithmetic _arithmetic;
    private readonly TileStreams _streams;
    private readonly LayerConstants _constants;
    private readonly AlignedBuffer _padding;
    private readonly int _inputBytes;
    private readonly int _outputBytes;
    private readonly int _rowReachBytes;
    private readonly int _windowBytes;
    private readonly nint[] _functions = new nint[1 << FunctionBits];

    public EmittedLayer(string name, PackedTensor weights, TileArithmetic arithmetic, LaneFormat format, SelectorStreams streams, LayerConstants constants, byte padding)
        : base(name, weights.Layout)
    {
        (_arithmetic, _constants) = (arithmetic, constants);
        _streams = new TileStreams(streams, format, weights.Shape.Groups);
        _inputBytes = format.ElementBytes;
        _outputBytes = sizeof(T);
        _windowBytes = format.Window * format.ElementBytes;
        _rowReachBytes = Math.Max(Shape.Channels * _inputBytes, _windowBytes) + (InputChannels - Shape.Channels) * _inputBytes;
        _padding = new AlignedBuffer((nuint)_rowReachBytes);
        new Span<byte>(_padding.Pointer, _rowReachBytes).Fill(padding);
    }

    private int InputChannels => Shape.Channels * Shape.Groups;

    private int Blocks => _streams.BlocksPerGroup * Shape.Groups;

    internal override int TaskCount(in LayerCall call)
    {
        if ((long)Layout.ValueCount * call.Pixels < SmallWork)
            return 1;
        (int panels, int chunks) = Partition(call);
        return panels * chunks;
    }

    private static int TilesOf(int pixels) => (pixels + TileEmitter.MaxPixels - 1) / TileEmitter.MaxPixels;

    private (int Panels, int BlockRanges) Partition(in LayerCall call)
    {
        int panels = (TilesOf(call.Pixels) + PanelTiles - 1) / PanelTiles;
        return (panels, Math.Min(Blocks, (TasksWanted + panels - 1) / panels));
    }

    internal override void RunTask(in LayerCall call, int task)
    {
        (int panels, int ranges) = Partition(call);
        bool whole = TaskCount(call) == 1;
        int firstPanel = whole ? 0 : task / ranges, panelEnd = whole ? panels : firstPanel + 1;
        int firstBlock = whole ? 0 : Blocks * (task % ranges) / ranges;
        int blockEnd = whole ? Blocks : Blocks * (task % ranges + 1) / ranges;

        long inputBytes = (long)call.Batch * call.Geometry.InputHeight * call.Geometry.InputWidth * InputChannels * _inputBytes;
        (long tailStart, int tailLength) = Tail(inputBytes);
        int tiles = TilesOf(call.Pixels);
        int rowsBytes = (TileEmitter.MaxPixels * Shape.Taps + RowPointers.Slack) * sizeof(byte*);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(rowsBytes + (tailLength == 0 ? 0 : tailLength + _windowBytes) + SumsBytes);
        fixed (byte* memory = scratch)
        {
            byte* tail = tailLength == 0 ? null : memory + rowsBytes;
            if (tail != null)
                Unsafe.CopyBlockUnaligned(tail, call.Input + tailStart, (uint)tailLength);
            byte* sums = memory + rowsBytes + (tailLength == 0 ? 0 : tailLength + _windowBytes);
            var rows = (byte**)memory;
            var pointers = new RowPointers(call.Geometry, call.Input, InputChannels * _inputBytes, _padding.Pointer, tail, tailStart);
            int tileEnd = Math.Min(tiles, panelEnd * PanelTiles);
            for (int tile = firstPanel * PanelTiles; tile < tileEnd; tile++)
            {
                int first = (int)((long)call.Pixels * tile / tiles), pixels = (int)((long)call.Pixels * (tile + 1) / tiles) - first;
                pointers.Fill(first, pixels, rows);
                RunTile(call, first, pixels, rows, sums, firstBlock, blockEnd);
            }
        }

        ArrayPool<byte>.Shared.Return(scratch);
    }

    /// <summary>Sums of one tile that wait for the next chunk; float sums wait in the output.</summary>
    private int SumsBytes => typeof(T) == typeof(float) ? 0 : TileEmitter.MaxPixels * Shape.Outputs * sizeof(int);

    /// <summary>From which byte on rows are read from a copy, and how many bytes that copy has.</summary>
    private (long Start, int Length) Tail(long inputBytes)
    {
        int pixelBytes = InputChannels * _inputBytes;
        if (_rowReachBytes == pixelBytes)
            return (0, 0);
        long start = inputBytes < _rowReachBytes ? 0 : ((inputBytes - _rowReachBytes) / pixelBytes + 1) * pixelBytes;
        return (start, (int)(inputBytes - start));
    }

    private void RunTile(in LayerCall call, int first, int pixels, byte** rows, byte* sums, int firstBlock, int blockEnd)
    {
        for (int group = firstBlock / _streams.BlocksPerGroup; group * _streams.BlocksPerGroup < blockEnd; group++)
        {
            int start = Math.Max(firstBlock - group * _streams.BlocksPerGroup, 0);
            int end = Math.Min(blockEnd - group * _streams.BlocksPerGroup, _streams.BlocksPerGroup);
            (int taps, int windows) = end - start < ChunkedBlocks || call.Residual == call.Output ? (Shape.Taps, _streams.Shape.Windows) : Chunk(call.Geometry, pixels);
            for (int tap = 0; tap < Shape.Taps; tap += taps)
                for (int window = 0; window < _streams.Shape.Windows; window += windows)
                    RunChunk(
                        call, first, pixels, rows, sums, group, start, end,
                        new Range(tap, Math.Min(taps, Shape.Taps - tap), window, Math.Min(windows, _streams.Shape.Windows - window)));
        }
    }

    private readonly record struct Range(int Tap, int Taps, int Window, int Windows);

    /// <summary>Taps and windows of one chunk: all, whole filter rows, one tap, or part of the only tap's windows.</summary>
    private (int Taps, int Windows) Chunk(ConvolutionGeometry geometry, int pixels)
    {
        int windows = _streams.Shape.Windows, tapBytes = Shape.Channels * _inputBytes;
        if (Shape.Taps == 1)
        {
            int chunks = Math.Max(1, (pixels * tapBytes + ChunkBytes - 1) / ChunkBytes);
            return (1, (windows + chunks - 1) / chunks + (WindowsPerGroup - 1) & -WindowsPerGroup);
        }

        // Neighbouring pixels share inputs: a filter row of k taps touches (pixels − 1)·stride + k input pixels.
        int rowBytes = ((pixels - 1) * Math.Min(geometry.StrideWidth, geometry.KernelWidth) + geometry.KernelWidth) * tapBytes;
        int filterRows = Math.Min(geometry.KernelHeight, ChunkBytes / rowBytes);
        return (filterRows > 0 ? filterRows * geometry.KernelWidth : 1, windows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunChunk(in LayerCall call, int first, int pixels, byte** rows, byte* sums, int group, int startBlock, int endBlock, Range chunk)
    {
        StreamShape shape = _streams.Shape;
        bool resumes = chunk.Tap + chunk.Window > 0, suspends = chunk.Tap + chunk.Taps < shape.Taps || chunk.Window + chunk.Windows < shape.Windows;
        int wholeBlocks = Shape.OutputsPerGroup / (VectorsPerBlock * Lanes);
        int middle = Math.Clamp(wholeBlocks, startBlock, endBlock);
        for (int part = 0; part < 2; part++)
        {
            (int from, int to) = part == 0 ? (startBlock, middle) : (middle, endBlock);
            if (from == to)
                continue;
            int vectors = _streams.VectorsOf(from), firstInGroup = from * VectorsPerBlock * Lanes;
            int lanes = Math.Min(Shape.OutputsPerGroup - firstInGroup, vectors * Lanes) - (vectors - 1) * Lanes;
            int output = group * Shape.OutputsPerGroup + firstInGroup;
            long outputStart = ((long)first * _constants.Outputs + output) * _outputBytes;
            nint origin = (nint)group * Shape.Channels * _inputBytes;
            var arguments = new TileArguments
            {
                Rows = rows + (nint)chunk.Tap * pixels,
                Weights = _streams.WeightsOf(group, from, chunk.Tap * shape.Windows + chunk.Window),
                Owners = _streams.OwnersOf(group, from, chunk.Tap, chunk.Window),
                Starts = _constants.Starts + (nint)output * sizeof(int),
                Factors = (byte*)(_constants.Factors + output),
                Output = call.Output + outputStart,
                Residual = call.Residual == null ? null : call.Residual + outputStart,
                Sums = typeof(T) == typeof(float) ? call.Output + outputStart : sums + (nint)output * sizeof(int),
                OutputStride = (nint)_constants.Outputs * _outputBytes,
                SumsStride = (nint)_constants.Outputs * sizeof(int),
                FirstOffset = origin + chunk.Window * shape.WindowStrideBytes,
                LastOffset = origin + shape.LastOffsetBytes,
                WindowStride = shape.WindowStrideBytes,
                Windows = chunk.Windows,
                Taps = chunk.Taps,
                Blocks = to - from,
                WeightSkip = _streams.WeightBytes(vectors, shape.Taps * shape.Windows - chunk.Taps * chunk.Windows),
                OwnerSkip = _streams.BlockOwnerBytes(vectors) - _streams.ChunkOwnerBytes(vectors, chunk.Taps, chunk.Window, chunk.Windows),
                Low = _constants.Low,
                High = _constants.High,
                ZeroPoint = _constants.OutputZeroPoint,
                LaneMask = (1u << lanes) - 1,
            };
            nint function = Function(pixels, vectors, lanes < Lanes, resumes, suspends, call.Residual != null);
            ((delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)function)(&arguments);
            if (!suspends && _constants.Function != ActivationKind.None)
                FunctionPass.Apply(
                    _constants.Function, (float*)(call.Output + outputStart), pixels,
                    Math.Min(Shape.OutputsPerGroup, to * VectorsPerBlock * Lanes) - firstInGroup, _constants.Outputs);
        }
    }

    /// <summary>The emitted function; this layer's own are remembered by their few variable properties.</summary>
    private nint Function(int pixels, int vectors, bool isPartial, bool resumes, bool suspends, bool hasResidual)
    {
        int key = (((((pixels << 1 | vectors - 1) << 1 | Bit(isPartial)) << 1 | Bit(resumes)) << 1 | Bit(suspends)) << 1) | Bit(hasResidual);
        nint known = Volatile.Read(ref _functions[key]);
        if (known != 0)
            return known;
        bool isBounded = !suspends && typeof(T) == typeof(float);
        nint made = TileFunctions.Shared.AddressOf(new TileVariant(
            _arithmetic, pixels, vectors, _streams.Shape.Steps, isPartial, resumes, suspends, hasResidual && !suspends,
            isBounded && _constants.Low > float.NegativeInfinity, isBounded && _constants.High < float.PositiveInfinity));
        Volatile.Write(ref _functions[key], made);
        return made;
    }

    private static int Bit(bool value) => value ? 1 : 0;

    public override void Dispose()
    {
        _streams.Dispose();
        _constants.Dispose();
        _padding.Dispose();
    }
}
