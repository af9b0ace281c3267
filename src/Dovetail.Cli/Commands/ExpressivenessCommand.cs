using System.CommandLine;
using System.Globalization;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Charts;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail expressiveness</c>: what the families of patterns can say at equal sparsity.</summary>
internal static class ExpressivenessCommand
{
    public static Command Create()
    {
        var weights = new Option<string?>("--weights")
        {
            Description = "Trained layers (ONNX or safetensors) instead of a Gaussian matrix.",
            HelpName = "FILE.onnx",
        };
        var sparsity = new Option<double[]>("--sparsity")
        {
            Description = "Shares of zeros, each above 0 and below 1. Default: "
                + string.Join(" ", ExpressivenessStudy.DefaultSparsities.Select(value => value.ToString(CultureInfo.InvariantCulture)))
                + ".",
            HelpName = "SHARE…",
            AllowMultipleArgumentsPerToken = true,
            CustomParser = ParseShares,
        };
        var svg = new Option<string?>("--svg") { Description = "Plot both figures against sparsity.", HelpName = "FILE" };
        Option<int> seed = CommonOptions.Seed();
        seed.Description = "Seed of the Gaussian matrix.";
        Option<string?> json = CommonOptions.Json();
        var command = new Command("expressiveness", "Compare families of patterns at equal sparsity: bits per weight, share of the "
            + "unstructured bound, captured energy.")
        {
            weights, sparsity, svg, seed, json,
        };
        command.Validators.Add(result =>
        {
            if (result.IsGiven(seed) && result.IsGiven(weights))
                result.AddError("--seed is the Gaussian matrix's, and --weights takes its place; leave one of them out.");
        });
        command.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            IReadOnlyList<double> shares = parsed.GetValue(sparsity) is { Length: > 0 } given
                ? [.. given.Distinct().Order()]
                : ExpressivenessStudy.DefaultSparsities;
            if (parsed.GetValue(weights) is { } source)
                ModelSource.CheckFile(source);
            using WeightFile? file = parsed.GetValue(weights) is { } path ? WeightFile.Open(path) : null;
            IReadOnlyList<WeightEntry> entries = file?.ReadEntries() ?? [ExpressivenessStudy.Gaussian(parsed.GetValue(seed))];
            if (entries.Count == 0)
                throw new DovetailException($"'{parsed.GetValue(weights)}' has no layer with weights, expected Conv, Gemm or MatMul with "
                    + "constant ones.");
            StudyResult result = null!;
            ProgressLine.Run(output.Human, "Projecting", ExpressivenessStudy.StepCount(shares), step =>
                result = ExpressivenessStudy.Run(entries, shares, step));
            if (result.Families.Count == 0)
                throw new PatternException($"No pattern fits a layer: {string.Join(" ", result.Notes)} Choose a lower sparsity.");
            string name = file is null ? "Gaussian weights" : Path.GetFileName(parsed.GetValue(weights)!);
            Print(output.Human, name, result);
            if (parsed.GetValue(svg) is { } target)
                AtomicFile.WriteAllText(target, ExpressivenessChart.Render(result.Families, name));
            output.WriteJson(new ExpressivenessJson(
                file is null ? "gaussian" : parsed.GetValue(weights)!, file is null ? parsed.GetValue(seed) : null,
                result.Families, result.Layers, result.Notes));
        });
        return command;
    }

    private static double[]? ParseShares(System.CommandLine.Parsing.ArgumentResult result)
    {
        var shares = new List<double>();
        foreach (string text in result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double share)
                || !(share > 0 && share < 1))
            {
                result.AddError($"--sparsity is {text}, expected shares of zeros above 0 and below 1, e.g. 0.9375.");
                return null;
            }

            shares.Add(share);
        }

        return [.. shares];
    }

    private static void Print(IAnsiConsole console, string name, StudyResult result)
    {
        console.WriteLine($"Captured energy on {name}");
        Table table = new Table().AddColumns("Pattern", "Family");
        foreach (string column in (string[])["Sparsity", "Bits per weight", "Share of unstructured", "Captured energy", "Layers"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (FamilyPoint point in result.Families)
            table.AddRow(
                point.Pattern, point.Family + (point.NM ? " (N:M)" : ""), $"{point.Sparsity * 100:0.###} %", $"{point.BitsPerWeight:0.000}",
                $"{point.ShareOfUnstructured:0.000}", $"{point.CapturedEnergy:0.000}", $"{point.Layers}");
        console.Write(table);
        foreach (string note in result.Notes)
            console.WriteLine(note);
    }
}
