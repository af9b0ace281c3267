using System.Globalization;
using System.Text.RegularExpressions;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Reports.Charts;

/// <summary>
/// A mask picture taken apart: which weights are kept, and to which cell each belongs.
/// 1. Bits: row r starts at byte r·⌈columns/8⌉; bit c mod 8 of byte c div 8 is column c (little bit order).
/// 2. Cells: the layer's shape [outputs, channels, taps…] and the pattern give <see cref="CellLayout"/>, and it every
///    weight's cell. Where the shape's text does not name a layer of that size, a single tap is assumed.
/// </summary>
internal sealed partial class MaskGrid
{
    private readonly byte[] _bits;
    private readonly int _rowBytes;
    private readonly int[,] _cells;

    /// <exception cref="ReportException">The picture is larger than its layer, or has too few bits.</exception>
    public MaskGrid(MaskPicture mask, string? layerShape)
    {
        Mask = mask;
        _rowBytes = (mask.Columns + 7) / 8;
        _bits = new byte[mask.BitsBase64.Length];
        if (mask.Rows < 0 || mask.Columns < 0 || mask.Rows > mask.TotalRows || mask.Columns > mask.TotalColumns
            || !Convert.TryFromBase64String(mask.BitsBase64, _bits, out int count) || count < (long)mask.Rows * _rowBytes)
            throw new ReportException(
                $"The mask picture of layer '{mask.Layer}' says {mask.Rows}×{mask.Columns} of {mask.TotalRows}×{mask.TotalColumns} "
                + "weights, " +
                $"expected base64 of {(long)mask.Rows * _rowBytes} bytes or more and a part no larger than the layer. Run 'dovetail "
                + "codesign' again.");
        _cells = new int[mask.Rows, mask.Columns];
        if (mask.Rows > 0 && mask.Columns > 0 && ComplementaryPattern.TryParse(mask.Pattern, out ComplementaryPattern? pattern))
            (Pattern, Layout) = (pattern, new CellLayout(pattern, Shape(mask, layerShape)));
        FillCells();
    }

    public MaskPicture Mask { get; }

    /// <summary>Null where the picture's pattern cannot be read.</summary>
    public ComplementaryPattern? Pattern { get; }

    public CellLayout? Layout { get; }

    /// <summary>Cells that lie wholly inside the picture.</summary>
    public int WholeCells { get; private set; }

    /// <summary>Those of them that hold exactly as many owners as the pattern says.</summary>
    public int ExactCells { get; private set; }

    public bool this[int row, int column] => (_bits[row * _rowBytes + column / 8] >> (column % 8) & 1) != 0;

    /// <summary>The cell of a weight; −1 where cells are not known.</summary>
    public int Cell(int row, int column) => Layout is null ? -1 : _cells[row, column];

    private void FillCells()
    {
        if (Layout is null)
            return;
        for (int cell = 0; cell < Layout.CellCount; cell++)
        {
            int inside = 0, owners = 0, candidates = Layout.CandidateCount(cell);
            for (int candidate = 0; candidate < candidates; candidate++)
            {
                (int row, int rowCount, int column) = Layout.Candidate(cell, candidate);
                if (row >= Mask.Rows || column >= Mask.Columns)
                    continue;
                for (int r = row; r < Math.Min(row + rowCount, Mask.Rows); r++)
                    _cells[r, column] = cell;
                if (row + rowCount > Mask.Rows)
                    continue; // rows that share owners, cut by the border of the picture
                inside++;
                if (this[row, column])
                    owners++;
            }

            if (inside < candidates)
                continue;
            WholeCells++;
            if (owners == Layout.UsedSlots(cell))
                ExactCells++;
        }
    }

    private static WeightShape Shape(MaskPicture mask, string? text)
    {
        // as WeightShape prints itself: "64×32×3×3", "64×1×3×3 in 64 groups"
        string[] parts = (text ?? "").Split(" in ");
        int[] sizes = Numbers(parts[0]), groups = Numbers(parts.Length > 1 ? parts[1] : "1");
        if (sizes.Length >= 2 && sizes.All(size => size > 0) && sizes[0] == mask.TotalRows
            && sizes.Skip(1).Aggregate(1L, (product, size) => product * size) == mask.TotalColumns
            && groups is [> 0] && sizes[0] % groups[0] == 0)
            return new WeightShape(sizes, groups[0]);
        return WeightShape.Matrix(mask.TotalRows, mask.TotalColumns);
    }

    private static int[] Numbers(string text) =>
        [.. Number().Matches(text).Select(n => int.TryParse(n.Value, CultureInfo.InvariantCulture, out int size) ? size : 0)];

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();
}
