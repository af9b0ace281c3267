namespace Dovetail.Core.Patterns;

/// <summary>
/// Walks the cells of a layout in order, with flat indices instead of a division for every weight.
/// Candidate i, lane l of the current cell is weight <c>Base + i·Step + l·columns</c>; slot s has its owner
/// at <c>OwnerBase + s·OwnerStep</c> and its values at <c>ValueBase + s·ValueStep + l·LaneStep</c>.
/// It says the same as <see cref="CellLayout"/>'s methods; a test compares them.
/// </summary>
internal struct CellCursor
{
    private readonly CellLayout _layout;
    private readonly ComplementaryPattern _pattern;
    private readonly bool _input;
    private readonly bool _contiguous;
    private readonly int _columns;
    private readonly int _outputsPerGroup;
    private readonly int _channels;
    private readonly int _taps;
    private readonly int _axisLength;
    private readonly int _cellsPerAxis;

    // input axis: (_group, _run, _tap, _j); output axis: (_group, _j, _column)
    private int _group;
    private int _run;
    private int _tap;
    private int _j;
    private int _column;

    internal CellCursor(CellLayout layout)
    {
        _layout = layout;
        _pattern = layout.Pattern;
        _input = _pattern.Axis == CellAxis.Input;
        _contiguous = _pattern.Arrangement == Arrangement.Contiguous;
        _columns = layout.Shape.Inputs;
        _outputsPerGroup = layout.Shape.OutputsPerGroup;
        _channels = layout.Shape.Channels;
        _taps = layout.Shape.Taps;
        _axisLength = layout.AxisLength;
        _cellsPerAxis = layout.CellsPerAxis;
        Cell = -1;
        Step = _input
            ? (_contiguous ? 1 : _cellsPerAxis)
            : (_contiguous ? 1 : _cellsPerAxis) * _pattern.Share * _columns;
        (OwnerStep, ValueStep, LaneStep) = _input
            ? (1, 1, layout.ValueColumns)
            : (_columns, _pattern.Share * _columns, _columns);
        (_j, _column) = (-1, -1);
    }

    internal int Cell { get; private set; }

    /// <summary>Flat index, in matrix order, of the first lane of candidate 0.</summary>
    internal int Base { get; private set; }

    /// <summary>Flat distance from a candidate to the next.</summary>
    internal int Step { get; }

    internal int Candidates { get; private set; }

    internal int OwnerBase { get; private set; }

    internal int OwnerStep { get; }

    internal int ValueBase { get; private set; }

    internal int ValueStep { get; }

    internal int LaneStep { get; }

    /// <summary>Slots that hold a candidate.</summary>
    internal readonly int Used => Math.Min(_pattern.Keep, Candidates);

    /// <summary>Rows of a candidate: the share, or fewer at the end of a convolution group.</summary>
    internal readonly int Lanes(int candidate)
    {
        int run = _input ? _run : Entry(candidate);
        return Math.Min(_pattern.Share, _outputsPerGroup - run * _pattern.Share);
    }

    internal bool MoveNext()
    {
        if (++Cell >= _layout.CellCount)
            return false;
        if (_input)
            MoveInput();
        else
            MoveOutput();
        return true;
    }

    private readonly int Entry(int candidate) => _contiguous ? _j * _pattern.Group + candidate : _j + candidate * _cellsPerAxis;

    private void MoveInput()
    {
        if (++_j == _cellsPerAxis)
        {
            _j = 0;
            if (++_tap == _taps)
            {
                _tap = 0;
                if (++_run * _pattern.Share >= _outputsPerGroup)
                    (_run, _group) = (0, _group + 1);
            }
        }

        int row = _group * _outputsPerGroup + _run * _pattern.Share;
        Base = row * _columns + _tap * _channels + Entry(0);
        Candidates = CandidateCount();
        OwnerBase = Cell * _pattern.Keep;
        ValueBase = row * LaneStep + (_tap * _cellsPerAxis + _j) * _pattern.Keep;
    }

    private void MoveOutput()
    {
        if (++_column == _columns || Cell == 0)
        {
            _column = 0;
            if (++_j == _cellsPerAxis)
                (_j, _group) = (0, _group + 1);
            Candidates = CandidateCount();
        }

        int block = _group * _cellsPerAxis + _j;
        Base = (_group * _outputsPerGroup + Entry(0) * _pattern.Share) * _columns + _column;
        OwnerBase = block * _pattern.Keep * _columns + _column;
        ValueBase = block * _pattern.Keep * ValueStep + _column;
    }

    private readonly int CandidateCount() => _contiguous
        ? Math.Min(_pattern.Group, _axisLength - _j * _pattern.Group)
        : (_axisLength - _j - 1) / _cellsPerAxis + 1;
}
