using System.Buffers;
using System.Runtime.CompilerServices;
using Dovetail.Core.Packing;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// The driver of the emitted tiles: convolution and matrix product on one inner loop.
/// 1. Output pixels are cut into tiles of nearly equal size, at most <see cref="TileEmitter.MaxPixels"/>.
/// 2. All blocks of outputs pass over a tile before the next: its inputs stay in L1, or in L2 where they are many, and
///    weights and owners stream from L2. Cutting deep inputs into chunks that fit L1 gained nothing: sums had to wait.
/// 3. A task is a range of tiles × a range of blocks. Tasks write disjoint outputs.
/// </summary>
internal sealed unsafe class EmittedLayer<T> : PreparedLayer<T>
    where T : unmanaged
{
    private const int Lanes = 16, TasksWanted = 8;

    /// <summary>Tiles of one task where there are many.</summary>
    private const int TaskTiles = 16;

    /// <summary>4 bits of pixels, one each of vectors, masks, residual.</summary>
    private const int FunctionBits = 7;

    /// <summary>What L1 keeps of addresses that lie a multiple of its way's size apart: one line a way.</summary>
    private const int CacheWays = 8, CacheWayBytes = 4096;

    /// <summary>
    /// Multiply-accumulates up to which a call does without the transition that lets the collector run meanwhile: some 10 µs, for
    /// which other threads would have to wait. The transition itself takes about 10 ns, a small tile 100.
    /// </summary>
    private const long ShortCall = 400_000;

    private readonly TileArithmetic _arithmetic;
    private readonly TileStreams _streams;
    private readonly LayerConstants _constants;
    private readonly AlignedBuffer _padding;
    private readonly int _inputBytes;
    private readonly int _rowReachBytes;
    private readonly int _windowBytes;
    private readonly int _weightsOfOutput;
    private readonly bool _rounds;
    private readonly nint[] _functions = new nint[1 << FunctionBits];

    public EmittedLayer(
        string name, PackedTensor weights, TileArithmetic arithmetic, LaneFormat format, TileStreams streams, LayerConstants constants,
        byte padding)
        : base(name, weights.Layout)
    {
        (_arithmetic, _streams, _constants) = (arithmetic, streams, constants);
        _inputBytes = format.ElementBytes;
        _windowBytes = format.Window * format.ElementBytes;
        _rowReachBytes = Math.Max(Shape.Channels * _inputBytes, _windowBytes) + (InputChannels - Shape.Channels) * _inputBytes;
        _weightsOfOutput = weights.Layout.ValueCount / Shape.Outputs;
        _rounds = arithmetic == TileArithmetic.BFloat16Window32;
        _padding = new AlignedBuffer((nuint)(_rounds ? 2 * _rowReachBytes : _rowReachBytes));
        new Span<byte>(_padding.Pointer, (int)_padding.Length).Fill(padding);
    }

    private int Blocks => _streams.BlocksPerGroup * Shape.Groups;

    internal override int TaskCount(in LayerCall call)
    {
        if (IsSmall(call))
            return 1;
        (int tileRanges, int blockRanges) = Partition(TilesOf(call));
        return tileRanges * blockRanges;
    }

    private int TilesOf(in LayerCall call)
    {
        int step = call.Geometry.StrideWidth * InputChannels * _inputBytes;
        int pixels = step % CacheWayBytes == 0 ? CacheWays : TileEmitter.MaxPixels;
        return (call.Pixels + pixels - 1) / pixels;
    }

    /// <summary>Ranges of tiles, and of blocks where there are few tiles: a tile's inputs are best read by one task.</summary>
    private (int TileRanges, int BlockRanges) Partition(int tiles)
    {
        int tileRanges = Math.Min(tiles, Math.Max(TasksWanted, tiles / TaskTiles));
        return (tileRanges, Math.Min(Blocks, (TasksWanted + tileRanges - 1) / tileRanges));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override void RunTask(in LayerCall call, int task)
    {
        int tiles = TilesOf(call);
        (int tileRanges, int blockRanges) = TaskCount(call) == 1 ? (1, 1) : Partition(tiles);
        (int tileRange, int blockRange) = Math.DivRem(task, blockRanges);
        int firstTile = (int)((long)tiles * tileRange / tileRanges), tileEnd = (int)((long)tiles * (tileRange + 1) / tileRanges);
        int firstBlock = Blocks * blockRange / blockRanges, blockEnd = Blocks * (blockRange + 1) / blockRanges;

        (long tailStart, int tailLength) = RoundsTiles
            ? default
            : InputTail.Of(call.InputPixels * InputChannels * _inputBytes, InputChannels * _inputBytes, _rowReachBytes);
        int parts = 2 * ((blockEnd - 1) / _streams.BlocksPerGroup - firstBlock / _streams.BlocksPerGroup + 1);
        int rowsBytes = (TileEmitter.MaxPixels * Shape.Taps + RowPointers.Slack) * sizeof(byte*);
        int copyBytes = RoundsTiles ? TileEmitter.MaxPixels * RoundedRowBytes + 64 : tailLength == 0 ? 0 : tailLength + _windowBytes;
        byte[] scratch = ArrayPool<byte>.Shared.Rent(rowsBytes + parts * sizeof(TilePart) + copyBytes);
        fixed (byte* memory = scratch)
        {
            var rows = (byte**)memory;
            var part = (TilePart*)(memory + rowsBytes);
            byte* copy = (byte*)(part + parts), tail = tailLength == 0 ? null : copy;
            if (tail != null)
                Unsafe.CopyBlockUnaligned(tail, call.Input + tailStart, (uint)tailLength);
            parts = FillParts(call, firstBlock, blockEnd, rows, part);
            int pixelBytes = InputChannels * (RoundsTiles ? sizeof(float) : _inputBytes);
            var pointers = new RowPointers(call.Geometry, call.Input, pixelBytes, _padding.Pointer, tail, tailStart);
            for (int tile = firstTile; tile < tileEnd; tile++)
            {
                int first = (int)((long)call.Pixels * tile / tiles), pixels = (int)((long)call.Pixels * (tile + 1) / tiles) - first;
                pointers.Fill(first, pixels, rows);
                if (RoundsTiles)
                    RoundRows(rows, pixels, (byte*)((nint)(copy + 63) & -64));
                for (int i = 0; i < parts; i++)
                    RunPart(part[i], first, pixels);
            }
        }

        ArrayPool<byte>.Shared.Return(scratch);
    }

    /// <summary>One tap reads each input pixel once at most: then a tile's rows are rounded when it is their turn, in L1.</summary>
    private bool RoundsTiles => _rounds && Shape.Taps == 1;

    private int RoundedRowBytes => (_rowReachBytes + 127) / 64 * 64;

    internal override long StagedBytes(in LayerCall call) => _rounds && !RoundsTiles ? call.InputPixels * InputChannels * _inputBytes : 0;

    private void RoundRows(byte** rows, int pixels, byte* target)
    {
        for (int i = 0; i < pixels; i++, target += RoundedRowBytes)
        {
            BFloat16Rounding.ToBFloat16((float*)rows[i], (ushort*)target, InputChannels);
            rows[i] = target;
        }
    }

    internal override void Stage(in LayerCall call, byte* staged) =>
        BFloat16Rounding.ToBFloat16((float*)call.Input, (ushort*)staged, call.InputPixels * InputChannels);

    /// <summary>Of each convolution group the whole blocks, and the block that is not whole.</summary>
    private int FillParts(in LayerCall call, int firstBlock, int blockEnd, byte** rows, TilePart* parts)
    {
        int count = 0, wholeBlocks = Shape.OutputsPerGroup / (_streams.VectorsPerBlock * Lanes);
        for (int group = firstBlock / _streams.BlocksPerGroup; group * _streams.BlocksPerGroup < blockEnd; group++)
        {
            int start = Math.Max(firstBlock - group * _streams.BlocksPerGroup, 0);
            int end = Math.Min(blockEnd - group * _streams.BlocksPerGroup, _streams.BlocksPerGroup);
            int middle = Math.Clamp(wholeBlocks, start, end);
            if (start < middle)
                parts[count++] = Part(call, group, start, middle, rows);
            if (middle < end)
                parts[count++] = Part(call, group, middle, end, rows);
        }

        return count;
    }

    private TilePart Part(in LayerCall call, int group, int from, int to, byte** rows)
    {
        int vectors = _streams.VectorsOf(from), firstInGroup = from * _streams.VectorsPerBlock * Lanes;
        int outputs = Math.Min(Shape.OutputsPerGroup, to * _streams.VectorsPerBlock * Lanes) - firstInGroup;
        int lanes = Math.Min(Shape.OutputsPerGroup - firstInGroup, vectors * Lanes) - (vectors - 1) * Lanes;
        int output = group * Shape.OutputsPerGroup + firstInGroup;
        nint origin = (nint)group * Shape.Channels * _inputBytes;
        var arguments = new TileArguments
        {
            Rows = rows,
            Weights = _streams.WeightsOf(group, from),
            Owners = _streams.OwnersOf(group, from),
            Steps = _streams.StepsOf(group, from),
            Starts = _constants.Starts + (nint)output * sizeof(int),
            Factors = (byte*)(_constants.Factors + output),
            Output = call.Output + (nint)output * sizeof(T),
            Residual = call.Residual == null ? null : call.Residual + (nint)output * sizeof(T),
            OutputStride = (nint)_constants.Outputs * sizeof(T),
            FirstOffset = origin,
            LastOffset = origin + _streams.Shape.LastOffsetBytes,
            WindowStride = _streams.Shape.WindowStrideBytes,
            Windows = _streams.Shape.Windows,
            Taps = _streams.Shape.Taps,
            Blocks = to - from,
            Low = _constants.Low,
            High = _constants.High,
            ZeroPoint = _constants.OutputZeroPoint,
            LaneMask = (1u << lanes) - 1,
        };
        return new TilePart(arguments, vectors, lanes < Lanes, outputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunPart(in TilePart part, int first, int pixels)
    {
        TileArguments arguments = part.Arguments;
        nint offset = first * arguments.OutputStride;
        byte* output = arguments.Output + offset;
        arguments.Output = output;
        arguments.Residual += offset;
        nint function = Function(pixels, part.Vectors, part.IsPartial, part.Arguments.Residual != null);
        if ((long)pixels * part.Outputs * _weightsOfOutput <= ShortCall)
            ((delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)function)(&arguments);
        else
            ((delegate* unmanaged<TileArguments*, void>)function)(&arguments);
        if (_constants.Function != ActivationKind.None)
            FunctionPass.Apply(_constants.Function, (float*)output, pixels, part.Outputs, _constants.Outputs);
    }

    /// <summary>The emitted function; this layer's own are remembered by their few variable properties.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private nint Function(int pixels, int vectors, bool isPartial, bool hasResidual)
    {
        int key = ((pixels << 1 | vectors - 1) << 1 | Bit(isPartial)) << 1 | Bit(hasResidual);
        nint known = Volatile.Read(ref _functions[key]);
        return known != 0 ? known : Emit(key, pixels, vectors, isPartial, hasResidual);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private nint Emit(int key, int pixels, int vectors, bool isPartial, bool hasResidual)
    {
        bool isFloat = typeof(T) == typeof(float), clamps = isFloat || !_constants.SaturationSuffices;
        nint made = TileFunctions.Shared.AddressOf(new TileVariant(
            _arithmetic, _streams.Storage, pixels, vectors, _streams.Shape.Steps, isPartial, hasResidual,
            clamps && _constants.Low > float.NegativeInfinity, clamps && _constants.High < float.PositiveInfinity));
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
