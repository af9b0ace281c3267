using Dovetail.Accelerator.Config;
using Dovetail.Rtl.Emit;

namespace Dovetail.Rtl.Tests.Emit;

/// <summary>The text of small arrays, file by file. regenerate-golden.sh writes the golden files anew.</summary>
public sealed class GoldenTests
{
    private const string Command = "tests/Dovetail.Rtl.Tests/regenerate-golden.sh";

    [Theory]
    [InlineData("2x3-1to4", 2, 3, "1:4", 2, true, MultiplierStyle.FullAdders, 11L)]
    [InlineData("2x2-dense", 2, 2, "1:1", 1, false, MultiplierStyle.Operator, null)]
    public void Text_is_golden(
        string name, int rows, int columns, string pattern, int cluster, bool registered, MultiplierStyle multiplier, long? seed)
    {
        ArrayConfig config = Arrays.Config(rows, columns, pattern, cluster, registered);
        IReadOnlyList<SourceFile> files = RtlGenerator.Render(config, new RtlOptions(multiplier, Command, seed));
        if (Environment.GetEnvironmentVariable("DOVETAIL_GOLDEN_OUT") is { Length: > 0 } target)
        {
            RtlGenerator.Write(files, Path.Combine(target, name));
            return;
        }

        string golden = Path.Combine(AppContext.BaseDirectory, "Emit", "Golden", name);
        Assert.Equal(
            Directory.GetFiles(golden).Select(Path.GetFileName).Order(StringComparer.Ordinal),
            files.Select(file => file.Name).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(File.ReadAllText(Path.Combine(golden, file.Name)), file.Text));
    }
}
