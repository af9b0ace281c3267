using System.CommandLine;
using Dovetail.Cli.Terminal;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Doctor;

/// <summary><c>dovetail doctor</c>: what this machine has, and what to do about what is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<string?> json = CommonOptions.Json();
        var command = new Command("doctor", "Show what this machine has (CPU features, libraries, tools, data sets) and what to do about what is missing.") { json };
        command.SetAction(parsed =>
        {
            var output = new VerbOutput(parsed.GetValue(json));
            IReadOnlyList<Finding> findings = Examination.Run();
            Table table = new Table().AddColumns("", "What", "Found", "What to do");
            foreach (Finding finding in findings)
                table.AddRow(Sign(finding.Status), Markup.Escape(finding.Subject), Markup.Escape(finding.Found), Markup.Escape(finding.Advice ?? ""));
            output.Human.Write(table);
            bool broken = findings.Any(finding => finding.Status == FindingStatus.Broken);
            output.Human.WriteLine(broken
                ? "Something that every job needs is missing; see 'What to do'."
                : "Everything that a job must have is here.");
            output.WriteJson(new
            {
                findings = findings.Select(finding => new
                {
                    finding.Subject,
                    status = finding.Status.ToString().ToLowerInvariant(),
                    finding.Found,
                    finding.Advice,
                }),
            });
            return broken ? CommandLine.Failed : 0;
        });
        return command;
    }

    private static string Sign(FindingStatus status) => status switch
    {
        FindingStatus.Good => "[green]ok[/]",
        FindingStatus.Missing => "[yellow]missing[/]",
        _ => "[red]broken[/]",
    };
}
