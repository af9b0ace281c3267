using System.Globalization;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

/// <summary>The figures in docs/patterns.md are those of the code.</summary>
public sealed class PatternsDocumentTests
{
    [Fact]
    public void Table_IsComputedAgain()
    {
        string[][] rows = [.. File.ReadLines(Path.Combine(Repository.Root, "docs", "patterns.md"))
            .SkipWhile(line => !line.StartsWith("| pattern | sparsity |", StringComparison.Ordinal)).Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];
        Assert.Equal(16, rows.Length);
        WeightShape shape = WeightShape.Matrix(512, 512);
        foreach (string[] row in rows)
        {
            SparsityPattern pattern = SparsityPattern.Parse(row[0].Trim('`'));
            Assert.Equal(row[1], (100 * pattern.Sparsity).ToString("F2", CultureInfo.InvariantCulture) + "%");
            Assert.Equal(row[2], Print(Expressiveness.BitsPerWeight(pattern, shape)));
            Assert.Equal(row[3], Print(Expressiveness.ShareOfUnstructured(pattern, shape)));
            Assert.Equal(row[4], Print(CapturedEnergy.OnGaussian(pattern, seed: 1)));
        }

        static string Print(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
    }

    /// <summary>The loss of a cell to the bound, as the page derives it.</summary>
    [Theory]
    [InlineData(4, 64)]
    [InlineData(16, 256)]
    [InlineData(64, 256)]
    public void LossToTheBound_IsTheFormula(int keep, int group)
    {
        double d = (double)keep / group;
        double loss = Expressiveness.UnstructuredBitsPerWeight(d) - Expressiveness.BitsPerWeight(new ComplementaryPattern(keep, group));
        double formula = 0.5 * Math.Log2(2 * Math.PI * d * (1 - d) * group) / group;
        Assert.InRange(loss - formula, 0, 0.5 / (d * group * group)); // O(1/g) a cell
    }
}
