using Dovetail.Core.Files;

namespace Dovetail.Tests;

/// <summary>The table in docs/onnx-operators.md: an operator a row, and in each column what is known of it.</summary>
internal static class OperatorTable
{
    /// <summary>What a cell says where an operator lacks a capability.</summary>
    public const string Missing = "–";

    private const string HowToAccept =
        "If the change is meant: run this test (of Dovetail.Onnx.Tests first, then of Dovetail.Training.Tests) with "
        + "DOVETAIL_ACCEPT_OPERATORS=1 in the environment, review the file's diff and commit it.";

    private static readonly string[] s_columns = ["operator", "versions", "from", "shape", "NHWC", "permute", "activation", "train"];

    private static string Path { get; } = System.IO.Path.Combine(Repository.Root, "docs", "onnx-operators.md");

    /// <summary>Fails where the file says something else.</summary>
    /// <param name="columns">The columns that the caller knows.</param>
    /// <param name="expected">Their cells by operator.</param>
    public static void Check(string[] columns, IReadOnlyDictionary<string, string[]> expected)
    {
        List<string> lines = [.. File.ReadAllText(Path).ReplaceLineEndings("\n").TrimEnd('\n').Split('\n')];
        int first = lines.IndexOf(Line(s_columns)) + 2;
        Dictionary<string, string[]> approved = lines.Skip(first).TakeWhile(line => line.StartsWith('|')).Select(Cells)
            .ToDictionary(cells => cells[0]);
        int[] at = [.. columns.Select(column => Array.IndexOf(s_columns, column))];
        var found = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        foreach ((string name, string[] cells) in expected)
        {
            string[] row = approved.TryGetValue(name, out string[]? known)
                ? [.. known]
                : [name, .. Enumerable.Repeat(Missing, s_columns.Length - 1)];
            for (int i = 0; i < at.Length; i++)
                row[at[i]] = cells[i];
            found[name] = row;
        }

        string[] before = [.. approved.Values.Select(Line)], after = [.. found.Values.Select(Line)];
        if (Environment.GetEnvironmentVariable("DOVETAIL_ACCEPT_OPERATORS") == "1")
        {
            lines.RemoveRange(first, before.Length);
            lines.InsertRange(first, after);
            AtomicFile.WriteAllText(Path, string.Join('\n', lines) + "\n");
        }
        else if (!before.SequenceEqual(after))
        {
            string[] difference = [
                .. before.Except(after).Select(line => "- " + line), .. after.Except(before).Select(line => "+ " + line)];
            Assert.Fail($"The operators differ from docs/onnx-operators.md:\n{string.Join('\n', difference)}\n{HowToAccept}");
        }
    }

    private static string Line(string[] cells) => $"| {string.Join(" | ", cells)} |";

    private static string[] Cells(string line) => [.. line.Trim('|').Split('|').Select(cell => cell.Trim())];
}
