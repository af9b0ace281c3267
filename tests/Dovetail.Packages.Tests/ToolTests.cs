using System.Runtime.InteropServices;

namespace Dovetail.Packages.Tests;

public sealed class ToolTests
{
    /// <summary>What a user's disk is asked for before any training.</summary>
    private const long MostBytes = 80_000_000;

    [Fact]
    public async Task The_tool_installs_runs_and_is_small()
    {
        using var folder = new TemporaryFolder();
        Feed.Configure(folder.Path);
        await DotnetProcess.RunAsync(
            folder.Path, "dotnet", "tool", "install", "dovetail", "--tool-path", folder.File("tools"), "--version", Feed.Version);
        string tool = folder.File(RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "tools/dovetail.exe" : "tools/dovetail");
        Assert.Contains("codesign", await DotnetProcess.RunAsync(folder.Path, tool, "--help"), StringComparison.Ordinal);
        await DotnetProcess.RunAsync(folder.Path, tool, "zoo", "write", "mlp", "mlp.onnx", "--pattern", "1:16");
        await DotnetProcess.RunAsync(folder.Path, tool, "pack", "mlp.onnx", "--pattern", "1:16", "--pack", "all", "--out", "packed.onnx");
        await DotnetProcess.RunAsync(folder.Path, tool, "verify", "packed.onnx");
        long bytes = new DirectoryInfo(folder.File("tools")).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Extension != ".nupkg") // NuGet keeps the package beside what it unpacked
            .Sum(file => file.Length);
        Assert.InRange(bytes, 1, MostBytes);
    }
}
