using System.ComponentModel;
using System.Diagnostics;

namespace Dovetail.Rtl;

/// <summary>Runs a tool to its end: its output is collected, and it ends with its children on time-out or cancellation.</summary>
internal static class ToolProcess
{
    private const int LastLines = 12;

    /// <summary>The tool's path, from the environment variable if that is set, else from PATH.</summary>
    /// <param name="tool">Name of the executable.</param>
    /// <param name="variable">E.g. DOVETAIL_VERILATOR: a path that wins over PATH.</param>
    /// <exception cref="ToolMissingException">It is in neither.</exception>
    public static string Locate(string tool, string variable, string installation)
    {
        string? chosen = Environment.GetEnvironmentVariable(variable);
        if (!string.IsNullOrEmpty(chosen))
            return File.Exists(chosen)
                ? chosen
                : throw new ToolMissingException(tool, $"{variable} names '{chosen}', which is no file; expected the path of {tool}.");
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            string path = Path.Combine(folder, OperatingSystem.IsWindows() ? $"{tool}.exe" : tool);
            if (File.Exists(path))
                return path;
        }

        throw new ToolMissingException(tool, $"{tool} was not found on the PATH. {installation} (or name it by {variable}).");
    }

    /// <returns>Standard output and standard error, in the order of their lines' arrival.</returns>
    /// <exception cref="RtlException">The tool cannot be started, ran too long or failed; its last lines are in the message.</exception>
    public static string Run(
        string path, IEnumerable<string> arguments, string workingDirectory, TimeSpan timeOut, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        string name = Path.GetFileName(path);
        var start = new ProcessStartInfo(path, arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        var lines = new List<string>();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        try
        {
            process.Start();
        }
        catch (Win32Exception error)
        {
            throw new RtlException($"{name} cannot be started: {error.Message}", error);
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var deadline = new CancellationTokenSource(timeOut);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            process.WaitForExitAsync(either.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            throw new RtlException($"{name} ran longer than {timeOut.TotalSeconds:0} s and was ended. Its last lines:\n{Tail(lines)}");
        }

        if (process.ExitCode != 0)
            throw new RtlException($"{name} failed with exit code {process.ExitCode}. Its last lines:\n{Tail(lines)}");
        lock (lines)
            return string.Join('\n', lines);

        void Collect(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is { } text)
                lock (lines)
                    lines.Add(text);
        }
    }

    private static string Tail(List<string> lines)
    {
        lock (lines)
            return lines.Count == 0 ? "(it printed nothing)" : string.Join('\n', lines.TakeLast(LastLines));
    }
}
