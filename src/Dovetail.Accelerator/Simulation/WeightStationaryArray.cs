using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;

namespace Dovetail.Accelerator.Simulation;

/// <summary>
/// A weight-stationary array, cycle by cycle: values move through the registers of every PE, and events are
/// counted where they happen. Cycles and counts are results of the movement, not of formulas.
/// 1. Load, R cycles: weights and owners enter at the top, last array row first, and move down one row a cycle.
/// 2. Stream cycle t: lanes move one cluster to the right; row r's first cluster receives pixel t − r, or zeros.
/// 3. A PE selects the lane of its owner. With registered selection it multiplies the operand that it
///    selected in the cycle before, otherwise this one.
/// 4. The product plus the sum of the PE above goes into the PE's partial-sum register. Rows are updated
///    from the bottom up, so that each still sees the old register above it.
/// 5. A token travels with each pixel's lanes; where it reaches the bottom row, a cluster's sums are complete.
///    The stream ends when every column has given all of its sums.
/// Per-row tokens are kept as numbers of rows per cluster, as a cluster's rows differ only in the cycle of
/// their pixel.
/// </summary>
public sealed class WeightStationaryArray
{
    private readonly ArrayConfig _config;
    private readonly int _rows;
    private readonly int _columns;
    private readonly int _clusters;
    private readonly int _group;
    private readonly int _stride;
    private readonly bool _laneIsOperand;

    // Registers that shift weights in, and the ones that the MACs use.
    private readonly sbyte[] _enteringWeights;
    private readonly byte[] _enteringOwners;
    private readonly int[] _weights;
    private readonly int[] _selectedLane;

    private readonly sbyte[] _lanes;
    private readonly int[] _operands;
    private readonly int[] _sums;
    private readonly Token[] _laneTokens;
    private readonly Token[] _operandTokens;
    private readonly int[] _nextPixel;
    private readonly int[] _usedColumns;

    private ArrayTile? _entering;
    private FoldUse? _enteringUse;
    private int _rowsEntered;
    private int _usedRowsInside;

    // For an observer only.
    private readonly IArrayObserver? _observer;
    private readonly ArrayCycle _seen;
    private readonly int[] _multiplied;

    /// <param name="observer">Sees every cycle; null costs nothing.</param>
    /// <exception cref="AcceleratorException">The array is not weight-stationary or its operands are not 8 bit.</exception>
    public WeightStationaryArray(ArrayConfig config, IArrayObserver? observer = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config.Validated();
        if (config.Dataflow != Dataflow.WeightStationary)
            throw new AcceleratorException($"Dataflow {config.Dataflow} was asked for cycle by cycle; it has the closed form only. Use "
                + "mode closed, or WeightStationary.");
        if (config.ActivationBits != 8 || config.WeightBits != 8 || config.AccumulatorBits != 32)
            throw new AcceleratorException($"An array of {config.ActivationBits}×{config.WeightBits}+{config.AccumulatorBits} bits was "
                + "asked for cycle by cycle, expected 8×8+32. Use mode closed for other widths.");
        (_rows, _columns, _clusters, _group) = (config.Rows, config.Columns, config.Clusters, config.Lanes);
        _stride = (_columns + Vector<int>.Count - 1) / Vector<int>.Count * Vector<int>.Count;
        _laneIsOperand = _group == 1 && config.ClusterColumns == 1;
        _enteringWeights = new sbyte[_rows * _columns];
        _enteringOwners = new byte[_rows * _columns];
        _weights = new int[_rows * _stride];
        _selectedLane = new int[_rows * _stride];
        _lanes = new sbyte[_rows * _clusters * _group + _stride];
        _operands = new int[_rows * _stride];
        _sums = new int[_rows * _stride];
        _laneTokens = new Token[_clusters];
        _operandTokens = new Token[_clusters];
        _nextPixel = new int[_clusters];
        _usedColumns = new int[_clusters];
        _observer = observer;
        _seen = new ArrayCycle(this, _config);
        _multiplied = observer is null ? [] : new int[_rows * _stride];
    }

    /// <summary>One fold alone: loads, streams, and says when each sum was complete.</summary>
    public ArrayTileResult Run(ArrayTile tile)
    {
        ArgumentNullException.ThrowIfNull(tile);
        var use = new FoldUse(tile);
        var load = new EventCounter();
        var stream = new EventCounter();
        var sums = new int[tile.Pixels * _columns];
        var cycles = new int[tile.Pixels * _columns];
        BeginLoad(tile, use);
        FinishLoad(load);
        Stream(tile, use, sums, cycles, stream);
        return new ArrayTileResult(tile.Pixels, _columns, sums, cycles, load.Cycles, stream.Cycles);
    }

    internal bool IsLoading => _entering is not null;

    /// <summary>Makes a fold's weights ready to shift in; the cycles follow by <see cref="FinishLoad"/> or under a stream.</summary>
    internal void BeginLoad(ArrayTile tile, FoldUse use)
    {
        if (tile.Rows != _rows || tile.Columns != _columns || tile.Group != _group)
            throw new AcceleratorException($"A tile of {tile.Rows}×{tile.Columns} PEs and {tile.Group} lanes was given to an array of "
                + $"{_rows}×{_columns} with {_group}; expected the same.");
        (_entering, _enteringUse, _rowsEntered, _usedRowsInside) = (tile, use, 0, 0);
    }

    /// <summary>Shifts in what a stream did not hide, then hands the weights to the MACs.</summary>
    internal void FinishLoad(EventCounter counter)
    {
        while (_rowsEntered < _rows)
        {
            LoadCycle(counter);
            counter.Cycles++;
            Tell(ArrayPhase.Load, _rowsEntered - 1, pixels: 0);
        }

        for (int r = 0; r < _rows; r++)
            for (int c = 0; c < _columns; c++)
            {
                _weights[r * _stride + c] = _enteringWeights[r * _columns + c];
                _selectedLane[r * _stride + c] = (r * _clusters + c / _config.ClusterColumns) * _group + _enteringOwners[r * _columns + c];
            }

        (_entering, _enteringUse) = (null, null);
    }

    /// <summary>Streams all pixels of the fold whose weights are in place, and shifts in a load that has begun meanwhile.</summary>
    /// <param name="sums">[pixels, columns], overwritten.</param>
    /// <param name="outputCycles">[pixels, columns] or empty.</param>
    internal void Stream(ArrayTile tile, FoldUse use, Span<int> sums, Span<int> outputCycles, EventCounter counter)
    {
        Clear(use);
        int waiting = _clusters * tile.Pixels;
        for (int cycle = 0; waiting > 0; cycle++)
        {
            if (_rowsEntered < _rows)
                LoadCycle(counter);
            MoveLanes(tile, use, cycle, counter);
            if (_observer is not null && _config.RegisteredSelection)
                _operands.CopyTo(_multiplied.AsSpan());
            UpdatePes();
            waiting -= CountAndCollect(tile, use, cycle, sums, outputCycles, counter);
            counter.Cycles++;
            if (_observer is not null && !_config.RegisteredSelection)
                _operands.CopyTo(_multiplied.AsSpan());
            Tell(ArrayPhase.Stream, cycle, tile.Pixels);
        }

        counter.Folds++;
    }

    private void Tell(ArrayPhase phase, int cycle, int pixels)
    {
        if (_observer is null)
            return;
        (_seen.Phase, _seen.Number, _seen.Pixels) = (phase, cycle, pixels);
        _observer.Elapsed(_seen);
    }

    internal PeState StateOf(int row, int column, ArrayCycle seen)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)_rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)_columns);
        int at = row * _stride + column, entering = row * _columns + column, cluster = column / _config.ClusterColumns;
        if (seen.Phase == ArrayPhase.Load)
            return new PeState(_enteringWeights[entering], _enteringOwners[entering], Pixel: -1, 0, _operands[at], _sums[at]);
        int pixel = seen.Number - row - cluster - _config.SelectionLatencyCycles;
        return new PeState(
            _weights[at], _selectedLane[at] - (row * _clusters + cluster) * _group, (uint)pixel < (uint)seen.Pixels ? pixel : -1,
            _multiplied[at], _operands[at], _sums[at]);
    }

    private void Clear(FoldUse use)
    {
        Array.Clear(_lanes);
        Array.Clear(_operands);
        Array.Clear(_sums);
        Array.Clear(_laneTokens);
        Array.Clear(_operandTokens);
        Array.Clear(_nextPixel);
        for (int k = 0; k < _clusters; k++)
            _usedColumns[k] = Math.Clamp(use.Outputs - k * _config.ClusterColumns, 0, _config.ClusterColumns);
    }

    private void LoadCycle(EventCounter counter)
    {
        ArrayTile tile = _entering!;
        FoldUse use = _enteringUse!;
        int below = (_rows - 1) * _columns, row = _rows - 1 - _rowsEntered;
        _enteringWeights.AsSpan(0, below).CopyTo(_enteringWeights.AsSpan(_columns));
        _enteringOwners.AsSpan(0, below).CopyTo(_enteringOwners.AsSpan(_columns));
        tile.Weights.AsSpan(row * _columns, _columns).CopyTo(_enteringWeights);
        tile.Owners.AsSpan(row * _columns, _columns).CopyTo(_enteringOwners);
        if (row < use.Slots)
        {
            _usedRowsInside++;
            counter.FilterReads += use.Outputs;
            counter.OwnerReads += use.OwnerWords;
        }

        counter.StationaryWrites += (long)_usedRowsInside * use.Outputs;
        _rowsEntered++;
    }

    private void MoveLanes(ArrayTile tile, FoldUse use, int cycle, EventCounter counter)
    {
        // Rows lie behind each other, so what leaves a row's last cluster lands in the next row's first one,
        // which receives its new pixel right after.
        int rowLanes = _clusters * _group;
        _lanes.AsSpan(0, _rows * rowLanes - _group).CopyTo(_lanes.AsSpan(_group));
        _laneTokens.AsSpan(0, _clusters - 1).CopyTo(_laneTokens.AsSpan(1));
        Token entering = default;
        for (int r = 0; r < _rows; r++)
        {
            int pixel = cycle - r;
            Span<sbyte> first = _lanes.AsSpan(r * rowLanes, _group);
            if ((uint)pixel >= (uint)tile.Pixels)
            {
                first.Clear();
                continue;
            }

            tile.Activations.AsSpan((pixel * _rows + r) * _group, _group).CopyTo(first);
            entering.Rows++;
            if (r < use.Slots)
            {
                entering.UsedRows++;
                entering.UsefulRows += use.UsefulRow[r] ? 1 : 0;
                counter.IfmapReads += use.CandidatesOfRow[r];
            }

            if (r == _rows - 1)
                entering.Bottom = 1;
        }

        _laneTokens[0] = entering;
    }

    private void UpdatePes()
    {
        ref int sums = ref MemoryMarshal.GetArrayDataReference(_sums);
        ref int weights = ref MemoryMarshal.GetArrayDataReference(_weights);
        ref int operands = ref MemoryMarshal.GetArrayDataReference(_operands);
        for (int r = _rows - 1; r >= 0; r--)
        {
            nuint row = (nuint)(r * _stride), above = row - (nuint)_stride;
            if (!_config.RegisteredSelection)
                SelectRow(r);
            for (nuint c = 0; c < (nuint)_stride; c += (nuint)Vector<int>.Count)
            {
                Vector<int> product = Vector.LoadUnsafe(ref operands, row + c) * Vector.LoadUnsafe(ref weights, row + c);
                Vector<int> incoming = r > 0 ? Vector.LoadUnsafe(ref sums, above + c) : Vector<int>.Zero;
                (incoming + product).StoreUnsafe(ref sums, row + c);
            }

            if (_config.RegisteredSelection)
                SelectRow(r);
        }
    }

    private void SelectRow(int row)
    {
        ref sbyte lanes = ref MemoryMarshal.GetArrayDataReference(_lanes);
        Span<int> operands = _operands.AsSpan(row * _stride, _columns);
        if (_laneIsOperand)
        {
            ReadOnlySpan<sbyte> source = _lanes.AsSpan(row * _columns, _columns);
            Widen(source, _operands.AsSpan(row * _stride, _stride));
            return;
        }

        ReadOnlySpan<int> selected = _selectedLane.AsSpan(row * _stride, _columns);
        for (int c = 0; c < operands.Length; c++)
            operands[c] = Unsafe.Add(ref lanes, selected[c]);
    }

    private static void Widen(ReadOnlySpan<sbyte> source, Span<int> target)
    {
        int c = 0;
        for (; c + Vector<sbyte>.Count <= source.Length; c += Vector<sbyte>.Count)
        {
            Vector.Widen(new Vector<sbyte>(source[c..]), out Vector<short> low, out Vector<short> high);
            Vector.Widen(low, out Vector<int> a, out Vector<int> b);
            Vector.Widen(high, out Vector<int> d, out Vector<int> e);
            Span<int> at = target.Slice(c, Vector<sbyte>.Count);
            a.CopyTo(at);
            b.CopyTo(at[Vector<int>.Count..]);
            d.CopyTo(at[(2 * Vector<int>.Count)..]);
            e.CopyTo(at[(3 * Vector<int>.Count)..]);
        }

        for (; c < source.Length; c++)
            target[c] = source[c];
    }

    /// <returns>Clusters whose bottom PEs completed a pixel in this cycle.</returns>
    private int CountAndCollect(ArrayTile tile, FoldUse use, int cycle, Span<int> sums, Span<int> outputCycles, EventCounter counter)
    {
        int completed = 0;
        int bottom = (_rows - 1) * _stride;
        Token[] multiplied = _config.RegisteredSelection ? _operandTokens : _laneTokens;
        for (int k = 0; k < _clusters; k++)
        {
            Token token = multiplied[k];
            long used = _usedColumns[k];
            counter.Macs += token.UsedRows * used;
            counter.UsefulMacs += token.UsefulRows * used;
            counter.PartialSumWrites += token.Rows * used;
            counter.LaneWrites += (long)_laneTokens[k].UsedRows * _group;
            if (_config.RegisteredSelection)
                counter.OperandWrites += _laneTokens[k].UsedRows * used;
            if (token.Bottom == 0)
                continue;
            completed++;
            counter.OfmapWrites += used;
            if (use.AddsToEarlierFold)
                counter.OfmapReads += used;
            int first = k * _config.ClusterColumns, width = Math.Min(_config.ClusterColumns, _columns - first);
            int at = _nextPixel[k]++ * tile.Columns + first;
            _sums.AsSpan(bottom + first, width).CopyTo(sums.Slice(at, width));
            if (!outputCycles.IsEmpty)
                outputCycles.Slice(at, width).Fill(cycle);
        }

        if (_config.RegisteredSelection)
            _laneTokens.CopyTo(_operandTokens.AsSpan());
        return completed;
    }

    /// <summary>How many rows of a cluster hold a pixel: any, with a slot, with a useful slot; and whether the bottom row does.</summary>
    private struct Token
    {
        public int Rows;
        public int UsedRows;
        public int UsefulRows;
        public int Bottom;
    }
}
