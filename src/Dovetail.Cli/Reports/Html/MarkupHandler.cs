using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Dovetail.Cli.Reports.Html;

/// <summary>
/// Builds <see cref="Markup"/> from an interpolated string. Text is escaped for element content and
/// quoted attributes alike; what XML 1.0 cannot hold (control characters, lone surrogates) becomes U+FFFD.
/// Floating-point holes do not compile: <see cref="Figures"/> says how many digits they get.
/// </summary>
[InterpolatedStringHandler]
internal readonly struct MarkupHandler
{
    private readonly StringBuilder _html;

    public MarkupHandler(int literalLength, int formattedCount) => _html = new StringBuilder(literalLength + 16 * formattedCount);

    public string Finish() => _html.ToString();

    public void AppendLiteral(string markup) => _html.Append(markup);

    public void AppendFormatted(Markup markup) => _html.Append(markup.ToString());

    public void AppendFormatted(IEnumerable<Markup> parts)
    {
        foreach (Markup part in parts)
            _html.Append(part.ToString()).Append('\n');
    }

    public void AppendFormatted(int number) => _html.Append(number.ToString(CultureInfo.InvariantCulture));

    public void AppendFormatted(string? text)
    {
        foreach (Rune rune in (text ?? "").EnumerateRunes())
            switch (rune.Value)
            {
                case '&':
                    _html.Append("&amp;");
                    break;
                case '<':
                    _html.Append("&lt;");
                    break;
                case '>':
                    _html.Append("&gt;");
                    break;
                case '"':
                    _html.Append("&quot;");
                    break;
                case '\'':
                    _html.Append("&#39;");
                    break;
                case (< ' ' and not ('\t' or '\n' or '\r')) or 0x7F or 0xFFFE or 0xFFFF:
                    _html.Append('\uFFFD');
                    break;
                default:
                    _html.Append(rune.ToString());
                    break;
            }
    }
}
