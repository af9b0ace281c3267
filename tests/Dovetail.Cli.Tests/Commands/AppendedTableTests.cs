namespace Dovetail.Cli.Tests.Commands;

/// <summary>The table of <c>train --csv</c> when several processes append to it.</summary>
public sealed class AppendedTableTests
{
    [Fact]
    public async Task Processes_that_append_at_once_lose_no_row()
    {
        const int processes = 4, each = 50;
        using var folder = new TemporaryFolder();
        string[][] rows = [.. Enumerable.Range(0, processes).Select(p => Enumerable.Range(0, each).Select(r => $"{p},{r}").ToArray())];
        Dictionary<string, string?> Environment(string[] mine) => new()
        {
            ["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location,
            [StartupHook.TableVariable] = folder.File("runs.csv"),
            [StartupHook.RowsVariable] = string.Join(';', mine),
        };
        CliProcess.Outcome[] outcomes = await Task.WhenAll(rows.Select(mine => CliProcess.RunAsync(["--version"], Environment(mine))));
        Assert.All(outcomes, outcome => Assert.True(outcome.ExitCode == 0, outcome.Error));
        string[] lines = await File.ReadAllLinesAsync(folder.File("runs.csv"));
        Assert.Equal("process,row", lines[0]);
        Assert.Equal(rows.SelectMany(mine => mine).Order(), lines[1..].Order());
        foreach (string[] mine in rows) // and each process's own stand in its order
            Assert.Equal(mine, lines.Where(line => line.StartsWith(mine[0][..2], StringComparison.Ordinal)));
    }
}
