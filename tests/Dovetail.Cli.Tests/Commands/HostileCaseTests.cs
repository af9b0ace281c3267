using System.Diagnostics;
using System.Text.Json;
using Dovetail.Cli.Tests.Codesign;

namespace Dovetail.Cli.Tests.Commands;

/// <summary>Cases of tests/Cases that are no files but circumstances: full and closed streams, closed terminals, missing folders.</summary>
public sealed class HostileCaseTests
{
    private static string Packed => Path.Combine(Repository.Root, "tests", "Cases", "8-simulate-packed-drops-depthwise", "packed.onnx");

    /// <summary>hostile-05-stdout</summary>
    [Theory]
    [InlineData("inspect PACKED > /dev/full")]
    [InlineData("inspect PACKED >&-")]
    [InlineData("inspect PACKED --json - > /dev/full")]
    [InlineData("simulate PACKED > /dev/full")]
    [InlineData("zoo list > /dev/full")]
    [InlineData("verify PACKED > /dev/full 2> /dev/full")]
    [InlineData("verify PACKED >&- 2>&-")]
    [InlineData("prune zoo:mlp --pattern 1:8 --out OUT 2> /dev/full > /dev/full")]
    public async Task A_full_or_closed_stream_ends_a_command_with_an_error_code(string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The streams are a shell's.");
        using var folder = new TemporaryFolder();
        string line = command.Replace("PACKED", $"'{Packed}'", StringComparison.Ordinal)
            .Replace("OUT", $"'{folder.File("out.onnx")}'", StringComparison.Ordinal);
        ProcessStartInfo dotnet = CliProcess.StartInfo([]);
        using Process shell = Process.Start(new ProcessStartInfo(
            "sh", ["-c", $"'{dotnet.FileName}' '{dotnet.ArgumentList[0]}' {line}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        Task<string> error = shell.StandardError.ReadToEndAsync(), output = shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        Assert.InRange(shell.ExitCode, 1, 2); // 134: a process that was aborted
        Assert.DoesNotContain("Unhandled", await error + await output, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>hostile-03-liberty</summary>
    [Fact]
    public async Task A_cell_library_without_end_is_one_message()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("deep.lib"), string.Concat(Enumerable.Repeat("a(){", 200_000)));
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["rtl", "--pattern", "1:4", "--rows", "1", "--cols", "1", "--out", folder.File("rtl"), "--synth"],
            new Dictionary<string, string?> { ["DOVETAIL_LIBERTY"] = folder.File("deep.lib") });
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("deep.lib", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    /// <summary>hostile-10-interruption</summary>
    [Fact]
    public async Task A_temporary_folder_that_is_not_there_is_named()
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["rtl", "--pattern", "1:4", "--rows", "1", "--cols", "1", "--out", folder.File("rtl"), "--synth"],
            new Dictionary<string, string?> { ["TMPDIR"] = folder.File("nowhere") });
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("nowhere", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    /// <summary>hostile-10-interruption: as Ctrl-C, for what ends a terminal and what ends a job.</summary>
    [Theory]
    [InlineData("HUP")]
    [InlineData("TERM")]
    public async Task A_closed_terminal_saves_a_training(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        using var folder = new TemporaryFolder();
        SmallImages.Write(folder.File("data"));
        string[] train = ["train", "--model", "zoo:mlp", "--data", folder.File("data"), "--method", "dense", "--epochs", "2000",
            "--threads", "1", "--out", folder.File("model.onnx")];
        using Process process = Process.Start(CliProcess.StartInfo(train).Interruptible(signal))!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        for (string? line = ""; line is not null && !line.Contains("poch", StringComparison.Ordinal);)
            line = await process.StandardOutput.ReadLineAsync();
        Task<string> rest = process.StandardOutput.ReadToEndAsync();
        using (Process kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]))
            await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        await rest;
        Assert.NotEqual(0, process.ExitCode);
        Assert.True((await error).Contains("--resume", StringComparison.Ordinal), await error);
        Assert.True(Directory.EnumerateFiles(folder.Path, "*checkpoint*").Any());
        Assert.Empty(Directory.EnumerateFiles(folder.Path, "*.tmp"));
    }

    /// <summary>2-int8-batch1-portable</summary>
    [Fact]
    public async Task Every_bare_layer_has_a_verdict()
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "bench", "--shapes", Path.Combine(Repository.Root, "tests", "Cases", "2-int8-batch1-portable", "odd.csv"), "--dtype", "int8",
            "--pattern", "1:8", "-t", "0.001", "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        JsonElement[] layers = [.. JsonDocument.Parse(outcome.Output).RootElement.GetProperty("layers").EnumerateArray()];
        Assert.Equal(11, layers.Length);
        Assert.All(layers, layer => Assert.Contains(layer.GetProperty("verdict").GetString(), (string[])["packed", "dense", "either"]));
    }

    /// <summary>11-no-one-table</summary>
    [Fact]
    public async Task One_table_holds_size_load_memory_and_time()
    {
        CliProcess.Outcome outcome = await CliProcess.RunAsync("bench", "zoo:mlp", "--pattern", "1:16", "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        JsonElement[] subjects = [.. JsonDocument.Parse(outcome.Output).RootElement.GetProperty("subjects").EnumerateArray()];
        Assert.Equal(["packed", "dense", "dense int8"], subjects.Select(subject => subject.GetProperty("name").GetString()));
        foreach (JsonElement subject in subjects.Take(2))
            foreach (string figure in (string[])["file_bytes", "load_ms", "peak_memory_bytes", "p50_ms"])
                Assert.True(subject.GetProperty(figure).GetDouble() > 0, figure);
        Assert.True(subjects[0].GetProperty("file_bytes").GetInt64() < subjects[1].GetProperty("file_bytes").GetInt64());
    }
}
