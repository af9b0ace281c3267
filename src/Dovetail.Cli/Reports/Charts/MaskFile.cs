using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Reports.Charts;

/// <summary>The mask of a layer as a picture file: PNG, a pixel a weight, or SVG, a corner with the borders of its cells.</summary>
internal static class MaskFile
{
    private const int SvgRows = 48, SvgColumns = 128, MostPixels = 1 << 15, Caption = 28, LeastWidth = 640;

    // Readable on white and on black.
    private static readonly (byte Red, byte Green, byte Blue) Ink = (0x12, 0x8C, 0x9E);

    /// <summary>All weights, outputs down, inputs across, at most 32,768 each way.</summary>
    public static byte[] Png(bool[] mask, WeightShape shape) => Reports.Charts.Png.Bitmap(
        Math.Min(shape.Inputs, MostPixels), Math.Min(shape.Outputs, MostPixels), (row, column) => mask[row * shape.Inputs + column], Ink);

    /// <summary>The first rows and columns of the mask, each weight a square.</summary>
    /// <param name="pattern">Whose cells are outlined; null outlines none.</param>
    public static string Svg(string layer, bool[] mask, WeightShape shape, SparsityPattern? pattern)
    {
        int rows = Math.Min(shape.Outputs, SvgRows), columns = Math.Min(shape.Inputs, SvgColumns), rowBytes = (columns + 7) / 8;
        var bits = new byte[rows * rowBytes];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                if (mask[row * shape.Inputs + column])
                    bits[row * rowBytes + column / 8] |= (byte)(1 << column % 8);
        var grid = new MaskGrid(
            new MaskPicture(layer, rows, columns, shape.Outputs, shape.Inputs, pattern?.ToString() ?? "", Convert.ToBase64String(bits)),
            shape.ToString());
        int gridWidth = columns * 12 + 2, gridHeight = rows * 12 + 2, width = Math.Max(gridWidth, LeastWidth),
            height = gridHeight + Caption;
        string cells = grid.Layout is null
            ? ""
            : $", cells of {pattern}{(grid.Pattern!.Arrangement == Arrangement.Strided ? " (the first one outlined)" : "")}";
        string caption = $"{layer}, {shape}{cells}: {Extent(rows, shape.Outputs, "outputs")} down, "
            + $"{Extent(columns, shape.Inputs, "inputs")} across";
        (string light, string dark, string weight) = grid.Pattern is { Arrangement: Arrangement.Strided }
            ? ("#1b2329", "#e6eaed", "1.6")
            : ("#94a1ab", "#5f6e79", "0.9");
        return
            $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" width="{{width}}" height="{{height}}">
            <style>
            .page { fill: #ffffff } .free { fill: #e9edf0 } .kept { fill: #0c7c8c } .cells { fill: none; stroke: {{light}}; stroke-width: {{weight}} } text { fill: #1b2329; font: 14px system-ui, sans-serif }
            @media (prefers-color-scheme: dark) { .page { fill: #12171b } .free { fill: #29323a } .kept { fill: #36b3c4 } .cells { stroke: {{dark}} } text { fill: #e6eaed } }
            </style>
            <rect class="page" width="{{width}}" height="{{height}}"/>
            <text x="4" y="19">{{System.Net.WebUtility.HtmlEncode(caption)}}</text>
            <svg y="{{Caption}}" width="{{gridWidth}}" height="{{gridHeight}}">
            {{MaskImages.Crop(grid, rows, columns)}}
            </svg>
            </svg>

            """;

        static string Extent(int shown, int all, string what) => shown == all ? $"all {all} {what}" : $"the first {shown} of {all} {what}";
    }
}
