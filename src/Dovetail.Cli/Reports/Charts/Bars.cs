using Dovetail.Cli.Reports.Html;

namespace Dovetail.Cli.Reports.Charts;

/// <summary>
/// Bars and dots for a table cell, as inline SVG with lengths in per cent: they fit any width, keep their text
/// beside them in the table, and are hidden from screen readers because that text says it all.
/// </summary>
internal static class Bars
{
    /// <param name="tone">"dense", "packed", "int8" or "slow".</param>
    /// <param name="mark">Optional: a thin line at a value, e.g. 1× or the ideal.</param>
    public static Markup Bar(double value, double full, string tone, params ReadOnlySpan<(double At, string Class)> marks)
    {
        var lines = new List<Markup>();
        foreach ((double at, string kind) in marks)
            if (at > 0 && at <= full)
                lines.Add(Markup.Of($"""<line class="{kind}" x1="{Share(at, full)}" x2="{Share(at, full)}" y1="0" y2="100%"/>"""));
        return Markup.Of(
            $"""<svg class="bar {tone}" aria-hidden="true"><rect class="track" width="100%" height="100%" rx="2"/><rect class="fill" width="{Share(value, full)}" height="100%" rx="2"/>{lines}</svg>""");
    }

    /// <summary>A dot on a line from <paramref name="low"/> to <paramref name="high"/>: for values whose zero is far away.</summary>
    public static Markup Dot(double value, AxisTicks axis, string tone)
    {
        double range = axis.Maximum - axis.Minimum;
        string at = Share(value - axis.Minimum, range);
        return Markup.Of(
            $"""<svg class="dot {tone}" aria-hidden="true">{axis.Values.Select(tick => Markup.Of($"""<line class="tick" x1="{Share(tick - axis.Minimum, range)}" x2="{Share(tick - axis.Minimum, range)}" y1="0" y2="100%"/>"""))}<line class="stem" x1="0" x2="{at}" y1="50%" y2="50%"/><circle cx="{at}" cy="50%" r="6"/></svg>""");
    }

    private static string Share(double value, double full) =>
        Figures.Length(full > 0 && double.IsFinite(value) ? Math.Clamp(value / full, 0, 1) * 100 : 0) + "%";
}
