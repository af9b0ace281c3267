using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Html;
using Dovetail.Cli.Reports.Results;

namespace Dovetail.Cli.Reports.Sections;

/// <summary>A layer's mask: as a whole, and a corner with its cells; left out where there is none.</summary>
internal static class MaskSection
{
    private const int CropRows = 16, CropColumns = 64;

    public static Section Render(CodesignResult result)
    {
        MaskPicture mask = result.Mask;
        if (mask.Rows <= 0 || mask.Columns <= 0)
            return new Section("mask", "Mask", Markup.Empty);
        var grid = new MaskGrid(mask, result.Model.Layers.FirstOrDefault(layer => layer.Name == mask.Layer)?.Shape);
        (int rows, int columns) = (Math.Min(CropRows, mask.Rows), Math.Min(CropColumns, mask.Columns));
        bool whole = mask.Rows == mask.TotalRows && mask.Columns == mask.TotalColumns;
        return new Section("mask", "Mask", Markup.Of(
            $"""
            <p>Layer <code>{mask.Layer}</code>, pattern <code>{mask.Pattern}</code>: outputs down, inputs across (taps, then channels). {Counted(grid)}</p>
            <figure class="wide">
            <div class="scroll" tabindex="0" role="group" aria-label="Corner of the mask">{MaskImages.Crop(grid, rows, columns)}</div>
            <figcaption>The first {rows} outputs and {columns} inputs. {Borders(grid)}
            <span class="legend"><span class="swatch kept"></span> kept (an owner) <span class="swatch free"></span> zero <span class="swatch cells"></span> border of a cell</span></figcaption>
            </figure>
            <figure class="wide">
            {MaskImages.Overview(grid)}
            <figcaption>{(whole ? "The whole layer" : "A part of the layer")}: {Figures.Count(mask.Rows)} × {Figures.Count(mask.Columns)}{(whole ? "" : $" of {Figures.Count(mask.TotalRows)} × {Figures.Count(mask.TotalColumns)}")} weights, one pixel each.</figcaption>
            </figure>
            """));
    }

    private static string Counted(MaskGrid grid) => grid.WholeCells == 0
        ? "No whole cell lies inside the picture."
        : grid.WholeCells == grid.ExactCells
            ? $"Counted here: all {Words.Plural(grid.WholeCells, "cell")} inside the picture hold exactly {grid.Pattern!.Keep} of "
                + $"{grid.Pattern.Group}."
            : $"Counted here: {Figures.Count(grid.ExactCells)} of {Words.Plural(grid.WholeCells, "cell")} inside the picture hold exactly "
                + $"{grid.Pattern!.Keep} of {grid.Pattern.Group}; the rest do not.";

    private static string Borders(MaskGrid grid) => grid.Pattern switch
    {
        null => "The pattern is not one this version knows, so no borders are drawn.",
        { Arrangement: Core.Patterns.Arrangement.Strided } =>
            "The candidates of a strided cell lie far apart; those of the first cell are outlined.",
        _ => "Candidates of one cell complement each other: packed, they overlay into its slots.",
    };
}
