using Dovetail.Cli.Reports.Html;
using Dovetail.Onnx.Inspection;

namespace Dovetail.Cli.Reports.Charts;

/// <summary>
/// Two line charts beside each other as an SVG file of its own: bits per weight and captured energy against
/// sparsity. Sparsities stand at log2(1 / density), so that each halving of the density is a step. Colours are
/// in the file and follow the reader's light or dark scheme; equal results give equal bytes.
/// </summary>
internal static class ExpressivenessChart
{
    private const double Width = 960, Height = 400, PanelWidth = 340, Top = 44, Bottom = 48, Left = 48, Gap = 60;

    // Family, name, class (colour), dash. Families that coincide with another line are in the table alone.
    private static readonly (string Family, string Name, string Tone, string Dash)[] Lines =
    [
        ("unstructured", "unstructured", "free", "6 4"),
        ("16:g", "16:g", "c16", "none"),
        ("8:g", "8:g", "c8", "none"),
        ("4:g", "4:g", "c4", "none"),
        ("2:g", "2:g", "c2", "none"),
        ("1:g", "1:g", "c1", "none"),
        ("1:gx2", "1:g, share 2", "s2", "2 3"),
        ("1:gx4", "1:g, share 4", "s4", "2 3"),
        ("block1x4", "block 1×4", "b1", "8 3 2 3"),
        ("block4x4", "block 4×4", "b4", "8 3 2 3"),
        ("channel", "channel", "ch", "1 4"),
    ];

    private const string Style =
        """
        text { font: 12px system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Liberation Sans, sans-serif; fill: #1b2329 }
        .page { fill: #ffffff } .grid { stroke: #dde2e6 } .soft { fill: #57636d } .title { font-size: 14px; font-weight: 600 }
        polyline { fill: none; stroke-width: 2; stroke-linejoin: round }
        .free { stroke: #1b2329 } .c16 { stroke: #06414b } .c8 { stroke: #0a5e6b } .c4 { stroke: #0c7c8c } .c2 { stroke: #2fa3b3 } .c1 { stroke: #6cc4d0 }
        .s2 { stroke: #b4580a } .s4 { stroke: #e0913f } .b1 { stroke: #7a55b3 } .b4 { stroke: #ab8ddb } .ch { stroke: #7d8a96 }
        circle { stroke-width: 0 }
        @media (prefers-color-scheme: dark) {
          text { fill: #e6eaed } .page { fill: #12171b } .grid { stroke: #313b43 } .soft { fill: #9fabb5 }
          .free { stroke: #e6eaed } .c16 { stroke: #c8f4fa } .c8 { stroke: #8fe0ec } .c4 { stroke: #52c6d6 } .c2 { stroke: #2596a6 } .c1 { stroke: #17707e }
          .s2 { stroke: #f0a04b } .s4 { stroke: #b06a1e } .b1 { stroke: #b08fe6 } .b4 { stroke: #7f5fb8 } .ch { stroke: #8b98a5 }
        }
        """;

    public static string Render(IReadOnlyList<FamilyPoint> points, string weights)
    {
        double[] sparsities = [.. points.Select(point => point.Sparsity).Distinct().Order()];
        var lines = Lines.Where(line => points.Any(point => point.Family == line.Family)).ToArray();
        double legend = Left + 2 * PanelWidth + Gap + 24;
        return Markup.Of(
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Figures.Length(Width)} {Figures.Length(Height)}" width="{Figures.Length(Width)}" height="{Figures.Length(Height)}" role="img" aria-label="Bits per weight and captured energy of pattern families against sparsity, on {weights}.">
            <style>{Style}</style>
            <rect class="page" width="{Figures.Length(Width)}" height="{Figures.Length(Height)}"/>
            {Panel(Left, "Bits per weight", sparsities, lines, points, point => point.BitsPerWeight)}
            {Panel(Left + PanelWidth + Gap, $"Captured energy, {weights}", sparsities, lines, points, point => point.CapturedEnergy)}
            {lines.Select((line, i) => Markup.Of(
                $"""<polyline class="{line.Tone}" stroke-dasharray="{line.Dash}" points="{Figures.Length(legend)},{Figures.Length(Top + 8 + i * 22)} {Figures.Length(legend + 30)},{Figures.Length(Top + 8 + i * 22)}"/><text x="{Figures.Length(legend + 38)}" y="{Figures.Length(Top + 12 + i * 22)}">{line.Name}</text>"""))}
            </svg>
            """).ToString() + "\n";
    }

    private static Markup Panel(
        double left, string title, double[] sparsities, (string Family, string Name, string Tone, string Dash)[] lines,
        IReadOnlyList<FamilyPoint> points, Func<FamilyPoint, double> value)
    {
        double first = Position(sparsities[0]), last = Position(sparsities[^1]), range = last > first ? last - first : 1;
        AxisTicks ticks = AxisTicks.Cover(0, points.Max(value), 5);
        string X(double sparsity) => Figures.Length(left + 8 + (Position(sparsity) - first) / range * (PanelWidth - 16));
        string Y(double y) => Figures.Length(Height - Bottom - y / ticks.Maximum * (Height - Top - Bottom));
        return Markup.Of(
            $"""
            <g><text class="title" x="{Figures.Length(left)}" y="24">{title}</text>
            {ticks.Values.Select(y => Markup.Of(
                $"""<line class="grid" x1="{Figures.Length(left)}" x2="{Figures.Length(left + PanelWidth)}" y1="{Y(y)}" y2="{Y(y)}"/><text class="soft" x="{Figures.Length(left - 8)}" y="{Y(y)}" dy="0.35em" text-anchor="end">{Figures.UpToThreeDecimals(y)}</text>"""))}
            {sparsities.Select(x => Markup.Of($"""<text class="soft" x="{X(x)}" y="{Figures.Length(Height - Bottom + 18)}" text-anchor="middle">{Figures.UpToThreeDecimals(x * 100)}</text>"""))}
            <text class="soft" x="{Figures.Length(left + PanelWidth / 2)}" y="{Figures.Length(Height - 8)}" text-anchor="middle">sparsity, %</text>
            {lines.Select(line => Markup.Of($"""<polyline class="{line.Tone}" stroke-dasharray="{line.Dash}" points="{string.Join(' ', Of(line.Family).Select(point => $"{X(point.Sparsity)},{Y(value(point))}"))}"/>"""))}
            {lines.SelectMany(line => Of(line.Family).Select(point => Markup.Of($"""<circle class="{line.Tone}" cx="{X(point.Sparsity)}" cy="{Y(value(point))}" r="6" fill-opacity="0"><title>{point.Pattern}: {Figures.UpToThreeDecimals(value(point))}</title></circle>""")))}
            </g>
            """);

        IEnumerable<FamilyPoint> Of(string family) => points.Where(point => point.Family == family).OrderBy(point => point.Sparsity);
    }

    private static double Position(double sparsity) => -Math.Log2(1 - sparsity);
}
