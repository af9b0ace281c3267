using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dovetail.Rtl.Emit;

/// <summary>
/// The text of a template (<c>Modules/*.in</c>) for one configuration.
/// 1. A line that starts with <c>@fact</c> stands only where the fact holds; the mark is removed.
/// 2. <c>$NAME$</c> becomes the value of that name.
/// 3. Nothing of either may be left: an unknown mark or name is a broken template, found before a byte is written.
/// </summary>
internal static partial class SourceTemplate
{
    /// <param name="facts">Every fact that a template may ask for, true or false.</param>
    public static string Render(string name, IReadOnlyDictionary<string, bool> facts, IReadOnlyDictionary<string, string> values)
    {
        var text = new StringBuilder();
        int number = 0;
        foreach (string line in Read(name).ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'))
        {
            number++;
            string body = line;
            Match mark = Mark().Match(line);
            if (mark.Success)
            {
                string? fact = facts.Keys.Where(key => line.AsSpan(1).StartsWith(key, StringComparison.Ordinal)).MaxBy(key => key.Length)
                    ?? throw new InvalidOperationException($"{name}, line {number}: '{mark.Value}' starts with no known fact.");
                if (!facts[fact])
                    continue;
                body = line[(1 + fact.Length)..];
            }

            text.Append(Placeholder().Replace(body, match =>
                values.TryGetValue(match.Groups[1].Value, out string? value)
                    ? value
                    : throw new InvalidOperationException($"{name}, line {number}: no value for {match.Value}."))).Append('\n');
        }

        return text.ToString();
    }

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Read(string name)
    {
        using Stream stream = typeof(SourceTemplate).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The resource {name} is missing from the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("^@[a-z]+")]
    private static partial Regex Mark();

    [GeneratedRegex(@"\$([A-Z][A-Z_]*)\$")]
    private static partial Regex Placeholder();
}
