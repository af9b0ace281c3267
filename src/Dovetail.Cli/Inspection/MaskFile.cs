using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Charts;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Inspection;

/// <summary>The mask of a layer as a picture file: PNG, a pixel a weight, or SVG, a corner with the borders of its cells.</summary>
internal static class MaskFile
{
    private const int SvgRows = 64, SvgColumns = 160, MostPixels = 1 << 15;

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
        var picture = new MaskPicture(layer, rows, columns, shape.Outputs, shape.Inputs, pattern?.ToString() ?? "", Convert.ToBase64String(bits));
        int width = columns * 12 + 2, height = rows * 12 + 2;
        return
            $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" width="{{width}}" height="{{height}}">
            <style>
            .page { fill: #ffffff } .free { fill: #e9edf0 } .kept { fill: #0c7c8c } .cells { fill: none; stroke: #1b2329; stroke-width: 1.1 }
            @media (prefers-color-scheme: dark) { .page { fill: #12171b } .free { fill: #29323a } .kept { fill: #36b3c4 } .cells { stroke: #e6eaed } }
            </style>
            <rect class="page" width="{{width}}" height="{{height}}"/>
            {{MaskImages.Crop(new MaskGrid(picture, shape.ToString()), rows, columns)}}
            </svg>

            """;
    }
}
