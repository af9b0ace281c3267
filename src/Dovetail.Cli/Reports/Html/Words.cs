using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Reports.Html;

/// <summary>Phrases that more than one part of the report uses.</summary>
internal static class Words
{
    /// <summary>2 → "2× faster", 0.5 → "2× slower", 1 → "as fast".</summary>
    public static string Faster(double ratio) => !double.IsFinite(ratio) || ratio <= 0 ? "of unmeasured speed"
        : Figures.Ratio(ratio) == "1.00×" ? "as fast"
        : ratio > 1 ? $"{Figures.Ratio(ratio)} faster" : $"{Figures.Ratio(1 / ratio)} slower";

    /// <summary>2 → "2× smaller", 0.5 → "2× larger".</summary>
    public static string Smaller(double ratio) => !double.IsFinite(ratio) || ratio <= 0 ? "of unknown size"
        : Math.Abs(ratio - 1) < 0.005 ? "same size"
        : ratio >= 1 ? $"{Figures.Ratio(ratio)} smaller" : $"{Figures.Ratio(1 / ratio)} larger";

    /// <summary>"1 of every 16 weights", or the pattern's own text where it cannot be read.</summary>
    public static string Kept(string pattern) => ComplementaryPattern.TryParse(pattern, out ComplementaryPattern? parsed)
        ? $"{parsed.Keep} of every {parsed.Group} weights"
        : $"the weights of pattern {pattern}";

    /// <summary>What a pattern could gain at most: group / keep; null where it cannot be read.</summary>
    public static double? Ideal(string pattern) =>
        ComplementaryPattern.TryParse(pattern, out ComplementaryPattern? parsed) ? 1 / parsed.Density : null;

    public static string Plural(long count, string one) => $"{Figures.Count(count)} {one}{(count == 1 ? "" : "s")}";

    /// <summary>A status as a coloured word; the word alone says it too.</summary>
    public static Markup Badge(string status) =>
        Markup.Of($"""<span class="badge {(status switch { "equal" => "good", "within tolerance" => "good", "different" => "bad", _ => "warn" })}">{status}</span>""");

    public static string MatrixSize(int m, int n, int k) => $"{Figures.Count(m)} × {Figures.Count(n)} × {Figures.Count(k)}";

    /// <summary>A text as a hole: for table cells.</summary>
    public static Markup Text(string? text) => Markup.Of($"{text}");

    public static Markup Code(string? text) => Markup.Of($"<code>{text}</code>");
}
