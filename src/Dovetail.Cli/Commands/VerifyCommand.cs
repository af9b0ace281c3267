using System.CommandLine;
using System.CommandLine.Parsing;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary>
/// <c>dovetail verify</c>: exit code 0 if a file satisfies its pattern, 1 if it does not, 2 if it cannot be read.
/// Every error is 2 here, so that 1 always means that the file was read and breaks its pattern.
/// </summary>
internal static class VerifyCommand
{
    private const int Satisfied = 0, Violated = 1, Unreadable = 2;

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "ONNX (dense, sparse, QDQ or packed) or safetensors." };
        Option<SparsityPattern?> pattern = PatternOption("The pattern to satisfy, of any family. Default: the one that the file declares.");
        Option<string?> json = CommonOptions.Json();
        var command = new Command("verify", "Prove that a file satisfies its pattern: exit code 0 if it does, 1 if it does not, 2 if it "
            + "cannot be read.")
        {
            file, pattern, json,
        };
        command.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string path = parsed.GetValue(file)!;
            try
            {
                ModelSource.CheckFile(path);
                Verdict verdict = Verification.Run(path, parsed.GetValue(pattern));
                Print(output.Human, path, verdict);
                output.WriteJson(new VerifyJson(
                    path, Readable: true, verdict.Satisfied, verdict.Format, verdict.Pattern, verdict.FirstViolation, verdict.Violations,
                    verdict.Layers));
                return verdict.Satisfied ? Satisfied : Violated;
            }
            catch (Exception error) when (error is DovetailException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"dovetail: {error.Message}");
                ReportUnreadable(output, path, error.Message);
                return Unreadable;
            }
        });
        return command;
    }

    /// <summary>A pattern of any family as an option.</summary>
    public static Option<SparsityPattern?> PatternOption(string description) => new("--pattern")
    {
        Description = description,
        HelpName = "PATTERN",
        CustomParser = ParsePattern,
    };

    private static SparsityPattern? ParsePattern(ArgumentResult result)
    {
        try
        {
            return SparsityPattern.Parse(result.Tokens.Single().Value);
        }
        catch (PatternException error)
        {
            result.AddError(error.Message);
            return null;
        }
    }

    private static void ReportUnreadable(VerbOutput output, string path, string message)
    {
        try
        {
            output.WriteJson(new UnreadableJson(path, Readable: false, Satisfied: false, message));
        }
        catch (DovetailException)
        {
            // the first error is the one to report
        }
    }

    private static void Print(IAnsiConsole console, string path, Verdict verdict)
    {
        Table table = new Table().AddColumns("Layer", "Shape", "Pattern", "Verdict");
        foreach (LayerVerdict layer in verdict.Layers)
            table.AddRow(
                Markup.Escape(layer.Name), layer.Shape, layer.Pattern ?? "–",
                Markup.Escape(
                    layer.Reason is null ? layer.Status : $"{layer.Status}: {layer.Reason}"));
        console.Write(table);
        int good = verdict.Layers.Count(layer => layer.Status == LayerVerdict.Good);
        string pattern = verdict.Pattern ?? "the patterns of its layers";
        if (verdict.FirstViolation is not { } first)
            console.WriteLine(
                $"'{path}' ({verdict.Format}) satisfies {pattern}: {good} of {verdict.Layers.Count} layers checked, all good.");
        else
            console.WriteLine($"'{path}' ({verdict.Format}) does not satisfy {pattern}. First violation: "
                + $"{(first.Layer is null ? "" : $"layer '{first.Layer}': ")}{first.Message}");
    }
}
