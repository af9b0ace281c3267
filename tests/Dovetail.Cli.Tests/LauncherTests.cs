using System.Diagnostics;

namespace Dovetail.Cli.Tests;

/// <summary><c>./dovetail</c> itself, with a stand-in for the SDK whose build takes some seconds.</summary>
public sealed class LauncherTests
{
    private const string Sdk =
        """
        #!/usr/bin/env bash
        if [ "$1" != build ]; then echo "ran $2"; exit; fi
        echo "  Dovetail.Core -> somewhere/Dovetail.Core.dll"
        sleep 9
        if [ -e broken ]; then echo "error CS0001: broken"; exit 1; fi
        touch artifacts/launcher/bin/Dovetail.Cli/release/dovetail.dll
        """;

    [Fact]
    public async Task The_first_run_says_how_far_the_build_is_and_the_next_says_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The launcher is a shell script.");
        using var folder = new TemporaryFolder();
        Prepare(folder);
        (int code, string output, string error) = await RunAsync(folder);
        Assert.Equal((0, "ran verb\n"), (code, output));
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("dovetail: building (the first time", lines[0]);
        Assert.Equal("dovetail: 4 s, built Dovetail.Core", lines[1]);
        Assert.Equal((0, "ran verb\n", ""), await RunAsync(folder));
    }

    [Fact]
    public async Task A_build_that_fails_shows_its_messages()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The launcher is a shell script.");
        using var folder = new TemporaryFolder();
        Prepare(folder);
        await File.WriteAllTextAsync(folder.File("broken"), "");
        (int code, string output, string error) = await RunAsync(folder);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("error CS0001: broken", error);
        Assert.Contains("the build failed", error);
    }

    private static void Prepare(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder.File("src/Dovetail.Cli"));
        Directory.CreateDirectory(folder.File("sdk"));
        foreach (string name in (string[])["Directory.Build.props", "Directory.Packages.props", "global.json"])
            File.WriteAllText(folder.File(name), "");
        File.Copy(Path.Combine(Repository.Root, "dovetail"), folder.File("dovetail"));
        File.WriteAllText(folder.File("sdk/dotnet"), Sdk);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.File("sdk/dotnet"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(TemporaryFolder folder)
    {
        var start = new ProcessStartInfo("bash", [folder.File("dovetail"), "verb"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{folder.File("sdk")}:{Environment.GetEnvironmentVariable("PATH")}";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
