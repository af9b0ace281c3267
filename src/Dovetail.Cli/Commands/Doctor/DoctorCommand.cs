using System.CommandLine;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Doctor;

/// <summary><c>dovetail doctor</c>: what this machine has, and what to do about what is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<string?> json = CommonOptions.Json();
        var command = new Command("doctor", "Show what this machine has (CPU features, libraries, tools, data sets) and what to do about "
            + "what is missing.") { json };
        command.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            IReadOnlyList<Finding> findings = Examination.Run();
            Table table = new Table().AddColumns("", "What", "Found", "What that means, what to do");
            foreach (Finding finding in findings)
                table.AddRow(
                    Sign(finding.Status), Markup.Escape(finding.Subject), Markup.Escape(finding.Found),
                    Markup.Escape(finding.Advice ?? ""));
            output.Human.Write(table);
            bool broken = findings.Any(finding => finding.Status == FindingStatus.Broken);
            output.Human.WriteLine(broken
                ? "Something that every job needs is missing; see the last column."
                : "Everything that a job must have is here.");
            IReadOnlyList<ExpectedGain> gains = ExpectedGains.OfThisCpu;
            Print(output.Human, gains);
            output.WriteJson(new DoctorJson(
                [.. findings.Select(
                    finding => new FindingJson(
                        finding.Subject, finding.Status.ToString().ToLowerInvariant(), finding.Found, finding.Advice))],
                gains));
            return broken ? CommandLine.Failed : 0;
        });
        return command;
    }

    private static void Print(IAnsiConsole console, IReadOnlyList<ExpectedGain> gains)
    {
        const string Measure = "To measure this one: dovetail bench zoo:resnet50 --pattern 1:16";
        if (gains.Count == 0)
        {
            console.WriteLine($"What packed layers gain on a CPU of this kind is not measured. {Measure}");
            return;
        }

        Table table = new Table().Title("What packed layers gain").AddColumns("Weights", "Pattern");
        foreach (string column in (string[])["× dense fp32", "× dense int8", "Layers"])
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumns("of", "measured on");
        foreach (ExpectedGain gain in gains)
            table.AddRow(
                gain.Type, gain.Pattern, $"{gain.Ratio:0.0}", $"{gain.RatioInt8:0.0}", $"{gain.Layers}", string.Join(", ", gain.Networks),
                gain.Results + (gain.WithoutAvx512 ? ", AVX-512 off" : ""));
        console.Write(table);
        console.WriteLine(
            "Times as fast as ONNX Runtime's dense layers, one thread, geometric means; "
            + "measured on another CPU that runs the same kernels, so this one may differ."
            + (gains.Any(gain => gain.WithoutAvx512)
                ? " Where AVX-512 was off ONNX Runtime used it nevertheless: a CPU without it gains more." : ""));
        console.WriteLine(Measure);
    }

    private static string Sign(FindingStatus status) => status switch
    {
        FindingStatus.Good => "[green]ok[/]",
        FindingStatus.Missing => "[yellow]missing[/]",
        _ => "[red]broken[/]",
    };
}
