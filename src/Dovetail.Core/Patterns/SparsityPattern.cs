using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Dovetail.Core.Patterns;

/// <summary>
/// What masks a layer may have. The family: <see cref="ComplementaryPattern"/> (N:M is its special case,
/// <see cref="NmPattern"/>), <see cref="UnstructuredPattern"/>, <see cref="BlockPattern"/> and
/// <see cref="ChannelPattern"/>. Best masks are found by <see cref="Projection"/>.
/// </summary>
public abstract record SparsityPattern
{
    private const string Grammar =
        "keep:group (e.g. 4:64, 1:8/out, 2:16@strided, 1:16x2), or with the density as a fraction or a decimal " +
        "unstructured:1/16, block4x4:0.0625, channel:1/2";

    private protected SparsityPattern() { }

    /// <summary>Share of non-zeros, above 0 and at most 1. A layer's true share differs by tails and rounding.</summary>
    public abstract double Density { get; }

    /// <summary>Share of zeros, 1 − density.</summary>
    public double Sparsity => 1 - Density;

    /// <summary>Reads what any member prints.</summary>
    /// <exception cref="PatternException">The text is no pattern; the message shows what is allowed.</exception>
    public static SparsityPattern Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string trimmed = text.Trim();
        if (trimmed.Length > 0 && char.IsAsciiDigit(trimmed[0]))
            return ComplementaryPattern.Parse(trimmed);
        int colon = trimmed.IndexOf(':', StringComparison.Ordinal);
        string family = colon < 0 ? trimmed : trimmed[..colon];
        if (colon < 0 || !TryParseDensity(trimmed.AsSpan(colon + 1), out double density))
            throw new PatternException($"'{text}' is not a pattern; expected {Grammar}.");
        try
        {
            if (family == "unstructured")
                return new UnstructuredPattern(density);
            if (family == "channel")
                return new ChannelPattern(density);
            if (family.StartsWith("block", StringComparison.Ordinal) && family[5..].Split('x') is [string rows, string columns]
                && int.TryParse(rows, NumberStyles.None, CultureInfo.InvariantCulture, out int height)
                && int.TryParse(columns, NumberStyles.None, CultureInfo.InvariantCulture, out int width))
                return new BlockPattern(height, width, density);
        }
        catch (PatternException error)
        {
            throw new PatternException($"'{text}' is not a pattern: {error.Message} Expected {Grammar}.", error);
        }

        throw new PatternException($"'{text}' is not a pattern; expected {Grammar}.");
    }

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out SparsityPattern? pattern)
    {
        pattern = null;
        if (text is null)
            return false;
        try
        {
            pattern = Parse(text);
            return true;
        }
        catch (PatternException)
        {
            return false;
        }
    }

    /// <summary>The text that <see cref="Parse"/> reads back as this pattern.</summary>
    public abstract override string ToString();

    private static bool TryParseDensity(ReadOnlySpan<char> text, out double density)
    {
        const NumberStyles Plain = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        int slash = text.IndexOf('/');
        if (slash < 0)
            return double.TryParse(text, Plain, CultureInfo.InvariantCulture, out density);
        density = 0;
        if (!int.TryParse(text[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out int numerator)
            || !int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int denominator)
            || denominator == 0)
            return false;
        density = (double)numerator / denominator;
        return true;
    }
}
