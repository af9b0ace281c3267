namespace Dovetail.Cli.Reports.Html;

/// <summary>
/// Finished HTML. The only ways to make one are <see cref="Of"/>, which escapes every hole of an
/// interpolated string, and joining others; so text from outside cannot become markup.
/// </summary>
internal readonly struct Markup
{
    private readonly string? _html;

    private Markup(string html) => _html = html;

    public static Markup Empty => default;

    public bool IsEmpty => string.IsNullOrEmpty(_html);

    /// <summary>Literal parts are markup; holes are escaped text, numbers, or markup again.</summary>
    public static Markup Of(MarkupHandler html) => new(html.Finish());

    /// <summary>The parts, one a line.</summary>
    public static Markup Join(IEnumerable<Markup> parts) => new(string.Join('\n', parts.Where(part => !part.IsEmpty)));

    public override string ToString() => _html ?? "";
}
