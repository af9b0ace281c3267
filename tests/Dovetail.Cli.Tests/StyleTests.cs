using System.Text.RegularExpressions;

namespace Dovetail.Cli.Tests;

/// <summary>How the code reads, where a program can tell: the length of lines and the names of tests.</summary>
public sealed partial class StyleTests
{
    private const int LongestLine = 140;

    [Fact]
    public void Lines_have_at_most_140_characters()
    {
        List<string> longer = [];
        foreach (string path in Sources("src", "tests", "bench", "samples", "scripts"))
        {
            bool raw = false; // raw literals are data: JSON, SVG, programs
            foreach ((int index, string line) in File.ReadLines(path).Index())
            {
                int marks = RawMark().Count(line);
                if (line.Length > LongestLine && !raw && marks == 0)
                    longer.Add($"{Path.GetRelativePath(Repository.Root, path)}:{index + 1}: {line.Length}");
                raw ^= marks % 2 == 1;
            }
        }

        Assert.Empty(longer);
    }

    [Fact]
    public void Tests_are_named_by_a_sentence_with_underscores()
    {
        string[] others =
        [
            .. Sources("tests").SelectMany(path => Test().Matches(File.ReadAllText(path)).Select(match => match.Groups["name"].Value))
                .Where(name => !Sentence().IsMatch(name)),
        ];
        Assert.Empty(others);
    }

    private static IEnumerable<string> Sources(params string[] folders) => folders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
        .Where(path => !Built().IsMatch(Path.GetRelativePath(Repository.Root, path)));

    [GeneratedRegex("\"{3,}")]
    private static partial Regex RawMark();

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex Built();

    [GeneratedRegex(@"\[(?:Fact|Theory)\b[\s\S]*?\bpublic (?:static |async |unsafe )*(?:void|Task|ValueTask)\s+(?<name>\w+)\(")]
    private static partial Regex Test();

    // one capital a word at most, so that "TwoWords" is none; names of types and formats may stand inside
    [GeneratedRegex(@"^[A-Z][a-z0-9]*(_\w+)*$|^[A-Z]\w*_\w+$")]
    private static partial Regex Sentence();
}
