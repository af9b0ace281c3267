using System.Globalization;

namespace Dovetail.Rtl.Synthesis;

/// <summary>
/// One group of a Liberty file: <c>name (arguments) { attributes and groups }</c>. Only the grammar is
/// known here; <see cref="CellLibrary"/> gives it meaning.
/// </summary>
internal sealed class LibertyGroup(string name, string[] arguments)
{
    public string Name { get; } = name;
    public string[] Arguments { get; } = arguments;

    /// <summary>The name that a cell or a pin has.</summary>
    /// <exception cref="FormatException">It has none.</exception>
    public string Argument => Arguments.Length > 0 ? Arguments[0] : throw new FormatException($"a group '{Name}' has no name");
    public List<LibertyGroup> Groups { get; } = [];

    /// <summary>Simple (<c>a : b;</c>) and complex (<c>a (b, c);</c>) attributes; the last of a name wins.</summary>
    public Dictionary<string, string[]> Attributes { get; } = [];

    public string? Text(string attribute) =>
        Attributes.TryGetValue(attribute, out string[]? values) && values.Length > 0 ? values[0] : null;

    public double? Number(string attribute) =>
        double.TryParse(Text(attribute), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;

    /// <summary>All numbers of a complex attribute, whose strings hold lists, e.g. <c>values ("1, 2", "3, 4")</c>.</summary>
    public double[] Numbers(string attribute) =>
        Attributes.TryGetValue(attribute, out string[]? lists)
            ? [.. lists.SelectMany(list => list.Split([',', ' ', '\t', '\n', '\r', '\\'], StringSplitOptions.RemoveEmptyEntries))
                .Select(number => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture))]
            : [];

    public IEnumerable<LibertyGroup> Children(string name) => Groups.Where(group => group.Name == name);

    /// <exception cref="FormatException">The text is not Liberty; the message names the line.</exception>
    public static LibertyGroup Parse(string text)
    {
        var reader = new Reader(text);
        LibertyGroup? library = reader.Statement(null);
        return library is { Name: "library" } ? library : throw new FormatException("the file does not start with 'library (…) {'");
    }

    private sealed class Reader(string text)
    {
        private const int DeepestGroup = 64;

        private int _at, _depth;

        /// <summary>Reads one statement into <paramref name="parent"/>; returns it if it is a group.</summary>
        public LibertyGroup? Statement(LibertyGroup? parent)
        {
            string name = Word();
            if (Next(':'))
            {
                string value = Word();
                while (!Next(';')) // expressions such as 0.5 * VDD, and files that forget the semicolon
                {
                    if (EndsLine())
                        break;
                    value += " " + Word();
                }

                if (parent is not null)
                    parent.Attributes[name] = [value];
                return null;
            }

            Expect('(');
            var arguments = new List<string>();
            while (!Next(')'))
            {
                arguments.Add(Word());
                Next(',');
            }

            if (!Next('{'))
            {
                Next(';');
                if (parent is not null)
                    parent.Attributes[name] = [.. arguments];
                return null;
            }

            if (++_depth > DeepestGroup)
                throw Wrong($"groups stand more than {DeepestGroup} deep");
            var group = new LibertyGroup(name, [.. arguments]);
            while (!Next('}'))
                Statement(group);
            _depth--;
            Next(';');
            parent?.Groups.Add(group);
            return group;
        }

        private string Word()
        {
            Skip();
            if (_at >= text.Length)
                throw Wrong("the file ends inside a group");
            int start = _at;
            if (text[_at] == '"')
            {
                int end = text.IndexOf('"', _at + 1);
                if (end < 0)
                    throw Wrong("a string does not end");
                _at = end + 1;
                return text[(start + 1)..end];
            }

            while (_at < text.Length && !char.IsWhiteSpace(text[_at]) && !"(){}:;,\"\\".Contains(text[_at], StringComparison.Ordinal))
                _at++;
            return _at > start ? text[start.._at] : throw Wrong($"'{text[_at]}' stands where a word is expected");
        }

        private bool Next(char expected)
        {
            Skip();
            if (_at >= text.Length || text[_at] != expected)
                return false;
            _at++;
            return true;
        }

        private void Expect(char expected)
        {
            if (!Next(expected))
                throw Wrong($"'{expected}' is expected");
        }

        private bool EndsLine()
        {
            int back = _at - 1;
            while (back >= 0 && text[back] is ' ' or '\t' or '\r')
                back--;
            return back >= 0 && text[back] == '\n';
        }

        private void Skip()
        {
            while (_at < text.Length)
            {
                if (char.IsWhiteSpace(text[_at]) || text[_at] == '\\')
                {
                    _at++;
                }
                else if (text.AsSpan(_at).StartsWith("/*"))
                {
                    int end = text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
                    _at = end < 0 ? text.Length : end + 2;
                }
                else
                {
                    return;
                }
            }
        }

        private FormatException Wrong(string what) => new($"line {text.AsSpan(0, Math.Min(_at, text.Length)).Count('\n') + 1}: {what}");
    }
}
