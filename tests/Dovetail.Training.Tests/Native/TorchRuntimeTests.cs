using System.Diagnostics;
using Dovetail.Core.Files;
using Dovetail.Training.Native;
using TorchSharp;

namespace Dovetail.Training.Tests.Native;

[Collection(TorchCollection.Name)]
public sealed class TorchRuntimeTests
{
    [Fact]
    public void Torch_computes_and_is_described()
    {
        TorchRuntime.EnsureLoaded();
        using torch.Tensor a = torch.arange(6, dtype: torch.float32).reshape(2, 3), product = a.matmul(a.t());
        Assert.Equal([5f, 14f, 14f, 50f], product.data<float>().ToArray());
        TorchRuntimeState state = TorchRuntime.Describe();
        Assert.True(state.IsAvailable);
        Assert.Null(state.Problem);
        Assert.StartsWith(LibTorchPackage.Version, state.Version); // TorchSharp's own word on what it was built for
        Assert.True(File.Exists(state.LibraryPath) || state.IsPatched);
        if (OperatingSystem.IsLinux())
            Assert.Equal(!LibStdCpp.Defines(LibTorchSharpPatch.Initializer, LibTorchSharpPatch.Version), state.IsPatched);
    }

    // The patched library's calls at load and at exit are what could go wrong: a process of its own shows it.
    [Fact]
    public async Task A_process_that_used_torch_ends_cleanly()
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(TorchRuntimeTests).Assembly.Location);
        start.ArgumentList.Add("--filter-method");
        start.ArgumentList.Add("*." + nameof(Torch_computes_and_is_described));
        start.ArgumentList.Add("--results-directory");
        start.ArgumentList.Add(folder.Path);
        start.Environment[UserCache.Variable] = folder.Path;
        start.Environment[LibTorchLocator.Variable] = new LibTorchLocator().Find()!.Folder;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}: {output}{await errors}");
        Assert.Contains("succeeded: 1", output);
    }
}
