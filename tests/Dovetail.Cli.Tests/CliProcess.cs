using System.Diagnostics;

namespace Dovetail.Cli.Tests;

/// <summary>Runs the CLI as a user does: a process of its own.</summary>
internal static class CliProcess
{
    public sealed record Outcome(int ExitCode, string Output, string Error)
    {
        /// <summary>Standard error without blank lines: one line where an error is reported as it should be.</summary>
        public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static string Dll => Path.Combine(AppContext.BaseDirectory, "dovetail.dll");

    public static ProcessStartInfo StartInfo(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo("dotnet", [Dll, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? AppContext.BaseDirectory,
        };
        foreach ((string name, string? value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        return start;
    }

    /// <summary>
    /// As at a terminal: with SIGINT handled the default way. What runs in the background of a shell, a CI job for one,
    /// inherits that it is ignored.
    /// </summary>
    public static ProcessStartInfo Interruptible(this ProcessStartInfo start, string signal = "INT")
    {
        if (!OperatingSystem.IsLinux())
            return start;
        string[] arguments = [$"--default-signal={signal}", start.FileName, .. start.ArgumentList];
        start.FileName = "env";
        start.ArgumentList.Clear();
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }

    public static Task<Outcome> RunAsync(params string[] arguments) => RunAsync(arguments, null);

    public static async Task<Outcome> RunAsync(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment, string? folder = null)
    {
        using Process process = Process.Start(StartInfo(arguments, environment, folder))!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Outcome(process.ExitCode, await output, await error);
    }
}
