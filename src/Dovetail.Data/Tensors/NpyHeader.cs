using System.Globalization;
using System.Text.RegularExpressions;

namespace Dovetail.Data.Tensors;

/// <summary>The header of a .npy file: a Python dictionary with exactly descr, fortran_order and shape.</summary>
internal sealed partial record NpyHeader(string Descr, bool IsFortranOrder, long[] Shape)
{
    /// <returns>Null where the text is no such dictionary.</returns>
    public static NpyHeader? Parse(string text)
    {
        Match match = Dictionary().Match(text);
        if (!match.Success)
            return null;
        var entries = new Dictionary<string, string>();
        foreach ((Capture key, Capture value) in match.Groups["key"].Captures.Zip(match.Groups["value"].Captures))
            if (!entries.TryAdd(key.Value, value.Value))
                return null;
        if (entries.Count != 3 || !entries.TryGetValue("descr", out string? descr)
            || !entries.TryGetValue("fortran_order", out string? order)
            || !entries.TryGetValue("shape", out string? shape) || descr[0] is not ('\'' or '"') || order is not ("True" or "False")
                || shape[0] != '(')
            return null;
        string[] numbers = shape[1..^1].Split(',', StringSplitOptions.TrimEntries);
        if (numbers is [var only] && only.Length > 0)
            return null; // (3) is a number in Python, (3,) a tuple
        if (numbers[^1].Length == 0)
            numbers = numbers[..^1];
        var dimensions = new long[numbers.Length];
        for (int i = 0; i < numbers.Length; i++)
            if (!long.TryParse(numbers[i], NumberStyles.None, CultureInfo.InvariantCulture, out dimensions[i]))
                return null;
        return new NpyHeader(descr[1..^1], order == "True", dimensions);
    }

    /// <summary>As NumPy writes it, without padding.</summary>
    public override string ToString() =>
        $"{{'descr': '{Descr}', 'fortran_order': {(IsFortranOrder ? "True" : "False")}, 'shape': "
        + $"({string.Join(", ", Shape)}{(Shape.Length == 1 ? "," : "")}), }}";

    [GeneratedRegex("""^\{\s*((['"])(?<key>\w+)\2\s*:\s*(?<value>'[^']*'|"[^"]*"|True|False|\([0-9,\s]*\))\s*(,\s*|(?=\})))+\}\s*$""")]
    private static partial Regex Dictionary();
}
