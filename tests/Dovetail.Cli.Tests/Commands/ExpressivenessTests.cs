using System.Text.Json;
using Dovetail.Cli.Reports.Charts;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;

namespace Dovetail.Cli.Tests.Commands;

public sealed class ExpressivenessTests
{
    [Fact]
    public void Figure_in_the_docs_is_what_the_verb_draws()
    {
        StudyResult result = ExpressivenessStudy.Run([ExpressivenessStudy.Gaussian(1)], ExpressivenessStudy.DefaultSparsities);
        string file = File.ReadAllText(Path.Combine(Repository.Root, "docs", "images", "expressiveness.svg"));
        Assert.Equal(file, ExpressivenessChart.Render(result.Families, "Gaussian weights"));
    }

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
        Assert.Contains(
            json.RootElement.GetProperty("families").EnumerateArray(), entry => entry.GetProperty("sparsity").GetDouble() == 0.75);
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
}
