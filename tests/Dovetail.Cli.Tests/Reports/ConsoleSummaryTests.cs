using Dovetail.Cli.Reports;
using Dovetail.Cli.Reports.Results;
using Spectre.Console;

namespace Dovetail.Cli.Tests.Reports;

public sealed class ConsoleSummaryTests
{
    [Fact]
    public void Key_figures_are_shown()
    {
        string text = Shown(ResultFixture.Full(), "out/report.html");
        foreach (string figure
            in (string[])["91.87 %", "90.93 %", "11.4× smaller", "5.13× faster", "8.92× faster", "5.83×", "6 of 6", ResultFixture.Marker,
            "out/report.html"])
            Assert.Contains(figure, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Skipped_rtl_says_why() =>
        Assert.Contains("RTL: skipped (Verilator was not found.", Shown(ResultFixture.RtlSkipped()), StringComparison.Ordinal);

    [Fact]
    public void Markup_in_names_is_text()
    {
        CodesignResult full = ResultFixture.Full();
        string text = Shown(full with { Model = full.Model with { Name = "[red]x[/" }, Notes = ["[bold]y"] });
        Assert.Contains("[red]x[/", text, StringComparison.Ordinal);
        Assert.Contains("note: [bold]y", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_result_is_shown_without_a_crash() =>
        Assert.Contains("0 of 0 checks", Shown(ResultFixture.Bare()), StringComparison.Ordinal);

    private static string Shown(CodesignResult result, string? path = null)
    {
        using var writer = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = 120;
        ConsoleSummary.Write(console, result, path);
        return writer.ToString();
    }
}
