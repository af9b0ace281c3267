namespace Dovetail.Core.Patterns;

/// <summary>
/// Where the cells of a pattern lie in a weight matrix, and where their slots lie in packed storage.
/// 1. The matrix has M = outputs rows and K = taps·channels columns. Cells never cross a filter tap
///    nor a convolution group.
/// 2. Rows are taken in <em>runs</em> of <c>share</c> neighbouring outputs of one convolution group
///    (the last run of a group may be shorter); a run shares its owners.
/// 3. Input axis: a cell is one run × the <c>group</c> channels of one tap; there are
///    runs × taps × J cells, J = ⌈channels / group⌉, in that order.
/// 4. Output axis: a cell is <c>group</c> runs of one convolution group × one column; there are
///    B × K cells, B = convolution groups × ⌈runs per group / group⌉, in that order.
/// 5. Contiguous: candidate i of the j-th of J cells is entry j·group + i; strided: entry j + i·J.
///    Entries past the end do not exist, so a tail cell has fewer candidates.
/// 6. Packed values are a dense matrix. Input axis: [outputs, taps·J·keep], row m and cell-in-row q
///    hold slots q·keep …; owners: one row per run. Output axis: [B·keep·share, K]; owners: [B·keep, K].
/// Source: Ozen and Orailoglu, TCAD 42(4), 2023; the layout is ours (docs/format.md).
/// </summary>
public sealed class CellLayout
{
    private readonly int _runsPerGroup;

    /// <exception cref="PatternException">The packed matrix would be larger than an array may be.</exception>
    public CellLayout(ComplementaryPattern pattern, WeightShape shape)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(shape);
        (Pattern, Shape) = (pattern, shape);
        _runsPerGroup = CeilDiv(shape.OutputsPerGroup, pattern.Share);
        RunCount = _runsPerGroup * shape.Groups;
        AxisLength = pattern.Axis == CellAxis.Input ? shape.Channels : _runsPerGroup;
        CellsPerAxis = CeilDiv(AxisLength, pattern.Group);
        long rows = pattern.Axis == CellAxis.Input ? shape.Outputs : (long)shape.Groups * CellsPerAxis * pattern.Keep * pattern.Share;
        long columns = pattern.Axis == CellAxis.Input ? (long)shape.Taps * CellsPerAxis * pattern.Keep : shape.Inputs;
        if (rows > Array.MaxLength / columns) // the padding of tail cells can make the packed matrix larger than the dense one
            throw new PatternException($"Pattern {pattern} on weights of shape {shape} takes {rows} × {columns} values, more than one "
                + $"tensor may hold here, {Array.MaxLength}. Choose a pattern that fits the shape.");
        if (pattern.Axis == CellAxis.Input)
        {
            CellsPerRow = shape.Taps * CellsPerAxis;
            CellCount = RunCount * CellsPerRow;
            (ValueRows, ValueColumns) = (shape.Outputs, CellsPerRow * pattern.Keep);
            (OwnerRows, OwnerColumns) = (RunCount, ValueColumns);
        }
        else
        {
            CellsPerRow = shape.Inputs;
            int blocks = shape.Groups * CellsPerAxis;
            CellCount = blocks * shape.Inputs;
            (ValueRows, ValueColumns) = (blocks * pattern.Keep * pattern.Share, shape.Inputs);
            (OwnerRows, OwnerColumns) = (blocks * pattern.Keep, shape.Inputs);
        }
    }

    public ComplementaryPattern Pattern { get; }
    public WeightShape Shape { get; }

    /// <summary>Channels on the input axis, runs of a convolution group on the output axis: what J cells divide.</summary>
    internal int AxisLength { get; }

    /// <summary>J: cells along one tap's channels or one convolution group's runs.</summary>
    internal int CellsPerAxis { get; }

    /// <summary>Runs of <c>share</c> outputs, over all convolution groups.</summary>
    internal int RunCount { get; }

    /// <summary>Cells along one packed row: taps·J on the input axis, K on the output axis.</summary>
    public int CellsPerRow { get; }

    public int CellCount { get; }

    /// <summary>Rows of the packed value matrix.</summary>
    public int ValueRows { get; }

    /// <summary>Columns of the packed value matrix.</summary>
    public int ValueColumns { get; }

    /// <summary>Rows of the owner matrix; each is padded to a byte in a file.</summary>
    public int OwnerRows { get; }

    /// <summary>Columns of the owner matrix.</summary>
    public int OwnerColumns { get; }

    public int ValueCount => ValueRows * ValueColumns;

    public int OwnerCount => OwnerRows * OwnerColumns;

    /// <summary>How many candidates a cell really has: the group, or fewer in a tail cell.</summary>
    public int CandidateCount(int cell)
    {
        int position = AxisPosition(cell);
        return Pattern.Arrangement == Arrangement.Contiguous
            ? Math.Min(Pattern.Group, AxisLength - position * Pattern.Group)
            : CeilDiv(AxisLength - position, CellsPerAxis);
    }

    /// <summary>Slots of a cell that hold a candidate: min(keep, candidates). The rest are padding.</summary>
    public int UsedSlots(int cell) => Math.Min(Pattern.Keep, CandidateCount(cell));

    /// <summary>The weights of a candidate: <c>RowCount</c> rows from <c>Row</c> on, at one column.</summary>
    public (int Row, int RowCount, int Column) Candidate(int cell, int candidate)
    {
        int position = AxisPosition(cell);
        int entry = Pattern.Arrangement == Arrangement.Contiguous
            ? position * Pattern.Group + candidate
            : position + candidate * CellsPerAxis;
        if (Pattern.Axis == CellAxis.Input)
        {
            (int run, int cellInRow) = Math.DivRem(cell, CellsPerRow);
            (int row, int rowCount) = RunRows(run);
            return (row, rowCount, cellInRow / CellsPerAxis * Shape.Channels + entry);
        }
        else
        {
            (int block, int column) = Math.DivRem(cell, CellsPerRow);
            (int row, int rowCount) = RunRows(block / CellsPerAxis * _runsPerGroup + entry);
            return (row, rowCount, column);
        }
    }

    /// <summary>The column of the dense matrix that an owner of a packed row's cell selects (input axis).</summary>
    public int InputColumn(int cellInRow, int owner)
    {
        (int tap, int j) = Math.DivRem(cellInRow, CellsPerAxis);
        int channel = Pattern.Arrangement == Arrangement.Contiguous ? j * Pattern.Group + owner : j + owner * CellsPerAxis;
        return tap * Shape.Channels + channel;
    }

    /// <summary>Index of a slot's owner in the owner matrix, row-major.</summary>
    public int OwnerIndex(int cell, int slot)
    {
        if (Pattern.Axis == CellAxis.Input)
            return cell * Pattern.Keep + slot;
        (int block, int column) = Math.DivRem(cell, CellsPerRow);
        return (block * Pattern.Keep + slot) * Shape.Inputs + column;
    }

    /// <summary>Index of a slot's value for the <paramref name="lane"/>-th row of its run in the value matrix, row-major.</summary>
    public int ValueIndex(int cell, int slot, int lane)
    {
        if (Pattern.Axis == CellAxis.Input)
        {
            (int run, int cellInRow) = Math.DivRem(cell, CellsPerRow);
            return ((RunRows(run).Row + lane) * CellsPerRow + cellInRow) * Pattern.Keep + slot;
        }

        (int block, int column) = Math.DivRem(cell, CellsPerRow);
        return ((block * Pattern.Keep + slot) * Pattern.Share + lane) * Shape.Inputs + column;
    }

    private (int Row, int RowCount) RunRows(int run)
    {
        (int group, int runInGroup) = Math.DivRem(run, _runsPerGroup);
        int start = runInGroup * Pattern.Share;
        return (group * Shape.OutputsPerGroup + start, Math.Min(Pattern.Share, Shape.OutputsPerGroup - start));
    }

    private int AxisPosition(int cell) => Pattern.Axis == CellAxis.Input
        ? cell % CellsPerAxis
        : cell / CellsPerRow % CellsPerAxis;

    private static int CeilDiv(int a, int b) => (a - 1) / b + 1;
}
