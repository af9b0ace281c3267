using Dovetail.Cli.Reports.Html;

namespace Dovetail.Cli.Reports.Charts;

/// <param name="Name">Stands at the line's end.</param>
/// <param name="Tone">"dense" or "packed": colour, dash and marker come from the style sheet.</param>
internal sealed record LineSeries(string Name, string Tone, IReadOnlyList<(int X, double Y)> Points);

/// <summary>
/// A small line chart as inline SVG without ids, fonts or colours of its own: the style sheet gives them, so it
/// follows the page into dark mode and print. Why it is not ScottPlot: docs/decisions/0010-report-charts.md.
/// Points that are not finite are left out.
/// </summary>
internal static class LineChart
{
    private const double Width = 460, Height = 250, Left = 52, Right = 116, Top = 14, Bottom = 40;

    /// <param name="summary">What the picture shows, for readers who do not see it.</param>
    /// <param name="format">A value as text, for ticks and line ends.</param>
    public static Markup Render(
        string summary, string xLabel, IReadOnlyList<LineSeries> series, Func<double, string> format,
        (double Low, double High)? limits = null)
    {
        LineSeries[] lines = [.. series.Select(Finite).Where(line => line.Points.Count > 0)];
        if (lines.Length == 0)
            return Markup.Of($"""<p class="empty">Nothing was recorded.</p>""");
        (int X, double Y)[] all = [.. lines.SelectMany(line => line.Points)];
        (int firstX, int lastX) = (all.Min(p => p.X), all.Max(p => p.X));
        AxisTicks ticks = AxisTicks.Cover(limits?.Low ?? all.Min(p => p.Y), limits?.High ?? all.Max(p => p.Y));
        double margin = firstX == lastX ? 1 : 0;
        string X(double x) => Figures.Length(Left + (x - firstX + margin) / (lastX - firstX + 2 * margin) * (Width - Left - Right));
        double At(double y) => Height - Bottom - (y - ticks.Minimum) / (ticks.Maximum - ticks.Minimum) * (Height - Top - Bottom);
        string Y(double y) => Figures.Length(At(y));

        return Markup.Of(
            $"""
            <svg class="chart" viewBox="0 0 {Figures.Length(Width)} {Figures.Length(Height)}" role="img" aria-label="{summary}">
            <g class="grid">{ticks.Values.Select(y => Markup.Of(
                $"""<line x1="{X(firstX - margin)}" x2="{X(lastX + margin)}" y1="{Y(y)}" y2="{Y(y)}"/><text x="{Figures.Length(Left - 8)}" y="{Y(y)}" dy="0.35em" text-anchor="end">{format(y)}</text>"""))}</g>
            <g class="ticks">{AxisTicks.Whole(firstX, lastX).Select(x => Markup.Of(
                $"""<text x="{X(x)}" y="{Figures.Length(Height - Bottom + 18)}" text-anchor="middle">{x}</text>"""))}
            <text class="axis" x="{X((firstX + lastX) / 2.0)}" y="{Figures.Length(Height - 4)}" text-anchor="middle">{xLabel}</text></g>
            {lines.Select(line => Markup.Of(
                $"""
                <g class="series {line.Tone}"><polyline points="{string.Join(' ', line.Points.Select(p => $"{X(p.X)},{Y(p.Y)}"))}"/>
                {line.Points.Select(p => Markup.Of($"""<circle cx="{X(p.X)}" cy="{Y(p.Y)}" r="3"><title>{line.Name}, {xLabel} {p.X}: {format(p.Y)}</title></circle>"""))}</g>
                """))}
            {EndLabels(lines, At, format, X(lastX + margin))}
            </svg>
            """);
    }

    // Names stand at the lines' ends, pushed apart where the ends are close.
    private static IEnumerable<Markup> EndLabels(LineSeries[] lines, Func<double, double> at, Func<double, string> format, string x)
    {
        const double spacing = 28;
        double previous = double.NegativeInfinity;
        var placed = new List<(LineSeries Line, double Y)>();
        foreach (LineSeries line in lines.OrderBy(line => at(line.Points[^1].Y)))
        {
            previous = Math.Max(at(line.Points[^1].Y), previous + spacing);
            placed.Add((line, previous));
        }

        double overflow = lines.Length == 1 ? 0 : Math.Max(0, previous + 10 - (Height - Bottom));
        return placed.Select(p => Markup.Of(
            $"""<text class="end {p.Line.Tone}" x="{x}" dx="9" y="{Figures.Length(p.Y - overflow)}">{(lines.Length == 1 ? Markup.Empty : Markup.Of($"<tspan>{p.Line.Name}</tspan>"))}<tspan class="value" x="{x}" dx="9" dy="{(lines.Length == 1 ? "0.35em" : "1.15em")}">{format(p.Line.Points[^1].Y)}</tspan></text>"""));
    }

    private static LineSeries Finite(LineSeries line) => line with { Points = [.. line.Points.Where(p => double.IsFinite(p.Y))] };
}
