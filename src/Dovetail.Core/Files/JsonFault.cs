using System.Text.Json;

namespace Dovetail.Core.Files;

/// <summary>What is wrong with a JSON file in words for its author: the key and the line, never the type that was to hold it.</summary>
public static class JsonFault
{
    /// <summary>E.g. "line 3, $.layers[1].name: not the kind of value that is expected there"; fits behind "is not valid: ".</summary>
    public static string Describe(JsonException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        string where = error.LineNumber is { } line ? $"line {line + 1}" : "";
        if (error.Path is { Length: > 1 } path)
            where += $"{(where.Length > 0 ? ", " : "")}{path}";
        string message = error.Message;
        string what = message.Contains("could not be mapped", StringComparison.Ordinal) ? $"the key {Quoted(message)} is not known"
            : message.Contains("required", StringComparison.Ordinal) && message.Contains("including", StringComparison.Ordinal)
                ? $"the key {message[(message.IndexOf("including", StringComparison.Ordinal) + 9)..].Trim(' ', ':', '.').Split(". ")[0]} "
                    + $"is missing"
            : message.Contains("could not be converted", StringComparison.Ordinal) || message.Contains("is null", StringComparison.Ordinal)
                || message.Contains("Cannot get the value", StringComparison.Ordinal)
                ? "not the kind of value that is expected there"
            : message.Contains("maximum configured depth", StringComparison.Ordinal) ? "values stand too deep in each other"
            : message.Contains("System.", StringComparison.Ordinal) || message.Contains("Dovetail.", StringComparison.Ordinal)
                ? "not what is expected there"
            : message.Split(" LineNumber:")[0].Split(" Path:")[0].TrimEnd('.', ' ', '|');
        return where.Length > 0 ? $"{where}: {what}" : what;

        static string Quoted(string text)
        {
            int start = text.IndexOf('\'', StringComparison.Ordinal), end = start < 0 ? -1 : text.IndexOf('\'', start + 1);
            return end > start ? text[start..(end + 1)] : "there";
        }
    }
}
