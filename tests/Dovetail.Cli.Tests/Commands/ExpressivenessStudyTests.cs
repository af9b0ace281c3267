using System.Text.Json;
using Dovetail.Cli.Reports.Charts;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using CoreExpressiveness = Dovetail.Core.Patterns.Expressiveness;

namespace Dovetail.Cli.Tests.Commands;

public sealed class ExpressivenessStudyTests
{
    [Fact]
    public void Figure_in_the_docs_is_what_the_verb_draws()
    {
        StudyResult result = ExpressivenessStudy.Run([ExpressivenessStudy.Gaussian(1)], ExpressivenessStudy.DefaultSparsities);
        string file = File.ReadAllText(Path.Combine(Repository.Root, "docs", "images", "expressiveness.svg"));
        Assert.Equal(file, ExpressivenessChart.Render(result.Families, "Gaussian weights"));
    }

    [Fact]
    public void One_layer_has_the_figures_of_Core()
    {
        WeightEntry entry = ExpressivenessStudy.Gaussian(7);
        StudyResult result = ExpressivenessStudy.Run([entry], [0.9375]);
        Assert.Contains(result.Families, point => point.Pattern == "4:64");
        Assert.Contains(result.Families, point => point.Family == "channel");
        foreach (FamilyPoint point in result.Families)
        {
            SparsityPattern pattern = SparsityPattern.Parse(point.Pattern);
            Assert.Equal(CoreExpressiveness.BitsPerWeight(pattern, entry.Shape), point.BitsPerWeight, 12);
            Assert.Equal(CoreExpressiveness.ShareOfUnstructured(pattern, entry.Shape), point.ShareOfUnstructured, 9);
            Assert.Equal(CapturedEnergy.OnGaussian(pattern, 7), point.CapturedEnergy, 12);
            Assert.Equal(0.9375, point.Sparsity);
        }
    }

    [Fact]
    public void Two_small_layers_are_summed_as_by_hand()
    {
        // 1:2 keeps 9 and 16 of the first, 4 of the second: two cells of two masks each, and one.
        WeightEntry first = Entry("a", [3, 1, -4, 2], 2), second = Entry("b", [2, 0], 1);
        FamilyPoint point = ExpressivenessStudy.Run([first, second], [0.5]).Families.Single(p => p.Pattern == "1:2");
        Assert.Equal((9 + 16 + 4) / (9 + 1 + 16 + 4 + 4.0), point.CapturedEnergy, 12);
        Assert.Equal(3 / 6.0, point.BitsPerWeight, 12);
        Assert.Equal(2, point.Layers);
    }

    [Fact]
    public void Pattern_that_does_not_fit_is_left_out_with_a_note()
    {
        StudyResult result = ExpressivenessStudy.Run([Entry("narrow", [1, 2, 3, 4], 2), Entry("single", [1, 2], 2)], [0.5]);
        Assert.DoesNotContain(result.Families, point => point.Pattern == "2:4");
        Assert.Contains(result.Notes, note => note.Contains("2:4") && note.Contains("narrow"));
        Assert.Contains(result.Notes, note => note.Contains("single"));
    }

    [Theory]
    [InlineData(0.9, "1:10")]
    [InlineData(0.6, "2:5")]
    [InlineData(0.7, "3:10")]
    public void Any_fraction_gets_its_smallest_cell(double sparsity, string expected) =>
        Assert.Equal(expected, ExpressivenessStudy.Patterns(sparsity, [])[0].Pattern.ToString());

    [Fact]
    public async Task Json_has_the_names_that_machines_read()
    {
        using var folder = new TemporaryFolder();
        string loaded = folder.File("assemblies.txt"), svg = folder.File("chart.svg");
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["expressiveness", "--sparsity", "0.5", "0.75", "--svg", svg, "--seed", "3", "--json", "-"], NoTorch.Environment(loaded));
        Assert.Equal(0, outcome.ExitCode);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        JsonElement family = json.RootElement.GetProperty("families")[0];
        Assert.Equal("1:2", family.GetProperty("pattern").GetString());
        Assert.Equal(0.5, family.GetProperty("sparsity").GetDouble());
        Assert.Equal(0.5, family.GetProperty("bits_per_weight").GetDouble(), 9);
        Assert.Equal(CapturedEnergy.OnGaussian(new ComplementaryPattern(1, 2), 3), family.GetProperty("captured_energy").GetDouble(), 9);
        Assert.Contains(json.RootElement.GetProperty("families").EnumerateArray(), entry => entry.GetProperty("sparsity").GetDouble() == 0.75);
        Assert.Equal("svg", System.Xml.Linq.XDocument.Load(svg).Root!.Name.LocalName);
        NoTorch.Check(loaded);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("0")]
    [InlineData("most")]
    public async Task Sparsity_out_of_range(string text)
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync("expressiveness", "--sparsity", text);
        Assert.Equal(CommandLine.Usage, outcome.ExitCode);
        Assert.Contains("--sparsity", outcome.Error);
    }

    private static WeightEntry Entry(string name, float[] weights, int outputs)
    {
        var shape = WeightShape.Matrix(outputs, weights.Length / outputs);
        return new WeightEntry(name, "matrix", shape, "float32", 4, 4, null, () => weights);
    }
}
