using Dovetail.Cli.Reports.Html;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Reports.Charts;

/// <summary>The two pictures of a mask: all of it, a pixel a weight, and a corner large enough to count cells.</summary>
internal static class MaskImages
{
    // Between the page's dark and light backgrounds, so that one picture serves both.
    private static readonly (byte Red, byte Green, byte Blue) Ink = (0x12, 0x8C, 0x9E);

    /// <summary>A PNG inside the page, a pixel a weight; kept weights are ink on a clear ground.</summary>
    public static Markup Overview(MaskGrid grid) => Markup.Of(
        $"""<img class="mask" width="{grid.Mask.Columns}" height="{grid.Mask.Rows}" alt="Mask of layer {grid.Mask.Layer}: {grid.Mask.Rows} outputs down, {grid.Mask.Columns} inputs across, one pixel a weight." src="data:image/png;base64,{Convert.ToBase64String(Png.Bitmap(grid.Mask.Columns, grid.Mask.Rows, (row, column) => grid[row, column], Ink))}"/>""");

    /// <summary>The first rows and columns with each weight as a square, kept ones filled, and lines between cells.</summary>
    public static Markup Crop(MaskGrid grid, int rows, int columns)
    {
        const int size = 12;
        bool lines = grid.Pattern is { Arrangement: Arrangement.Contiguous };
        return Markup.Of(
            $"""
            <svg class="crop" viewBox="-1 -1 {columns * size + 2} {rows * size + 2}" role="img" aria-label="The first {rows} rows and {columns} columns of the mask, with the borders of the cells.">
            <path class="free" d="{Squares(grid, rows, columns, size, kept: false)}"/>
            <path class="kept" d="{Squares(grid, rows, columns, size, kept: true)}"/>
            <path class="cells" d="{(lines ? Borders(grid, rows, columns, size) : OneCell(grid, rows, columns, size))}"/>
            </svg>
            """);
    }

    private static string Squares(MaskGrid grid, int rows, int columns, int size, bool kept) => string.Concat(
        from row in Enumerable.Range(0, rows)
        from column in Enumerable.Range(0, columns)
        where grid[row, column] == kept
        select $"M{column * size + 2} {row * size + 2}h{size - 4}v{size - 4}h-{size - 4}z");

    private static string Borders(MaskGrid grid, int rows, int columns, int size) => string.Concat(
        from row in Enumerable.Range(0, rows)
        from column in Enumerable.Range(0, columns)
        let cell = grid.Cell(row, column)
        let left = column == 0 || grid.Cell(row, column - 1) != cell
        let above = row == 0 || grid.Cell(row - 1, column) != cell
        let right = column == columns - 1
        let below = row == rows - 1
        select (left ? $"M{column * size} {row * size}v{size}" : "") + (above ? $"M{column * size} {row * size}h{size}" : "")
            + (right ? $"M{(column + 1) * size} {row * size}v{size}" : "") + (below ? $"M{column * size} {(row + 1) * size}h{size}" : ""));

    // Candidates of a strided cell lie far apart: only the first cell is outlined, or the picture would be all lines.
    private static string OneCell(MaskGrid grid, int rows, int columns, int size) => string.Concat(
        from row in Enumerable.Range(0, rows)
        from column in Enumerable.Range(0, columns)
        where grid.Layout is not null && grid.Cell(row, column) == grid.Cell(0, 0)
        select $"M{column * size} {row * size}h{size}v{size}h-{size}z");
}
