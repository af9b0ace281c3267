using Dovetail.Cli.Terminal;
using Spectre.Console;

namespace Dovetail.Cli.Tests.Terminal;

/// <summary>A log file gets few lines, by a clock that the test moves.</summary>
public sealed class ProgressLogTests
{
    /// <summary>600 updates in a minute: a line a tenth.</summary>
    [Fact]
    public void A_line_for_every_tenth()
    {
        var clock = new Clock();
        List<string> lines = [];
        var log = new ProgressLog(lines.Add, clock);
        for (int i = 0; i < 600; i++, clock.Advance(0.1))
            log.Update(0, "Train", i / 6.0);
        Assert.Equal(
            ["Train: 10%", "Train: 20%", "Train: 30%", "Train: 40%", "Train: 50%", "Train: 60%", "Train: 70%", "Train: 80%", "Train: 90%"],
            lines);
    }

    [Fact]
    public void Short_work_says_nothing_and_fast_work_a_line_in_two_seconds()
    {
        var clock = new Clock();
        List<string> lines = [];
        var log = new ProgressLog(lines.Add, clock);
        for (int i = 0; i < 19; i++, clock.Advance(0.1))
            log.Update(0, "Inspect", i * 5);
        Assert.Empty(lines);
        for (int i = 0; i < 40; i++, clock.Advance(0.1)) // seconds 1.9 to 5.8
            log.Update(1, "Measure", i * 2.5);
        Assert.Equal(2, lines.Count);
    }

    [Fact]
    public void Slow_work_is_heard_of_every_half_minute()
    {
        var clock = new Clock();
        List<string> lines = [];
        var log = new ProgressLog(lines.Add, clock);
        for (int i = 0; i < 1000; i++, clock.Advance(0.1)) // 100 s
            log.Update(0, $"Step {i}", 3);
        Assert.Equal(3, lines.Count);
        Assert.Equal("Step 300: 3%", lines[0]);
    }

    /// <summary>The display that verbs use finds the tasks and their words, without markup, and draws nothing else into a log.</summary>
    [Fact]
    public void Bars_become_lines_without_a_terminal()
    {
        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        ProgressLine.Run(console, "Work", 4, step =>
        {
            step("[a]");
            for (long start = Environment.TickCount64; text.ToString().Length == 0 && Environment.TickCount64 - start < 30_000;)
                Thread.Sleep(50);
        });
        Assert.Equal("Work: [a]: 25%", text.ToString().Trim());
    }
}
