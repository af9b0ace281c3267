using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Dovetail.Native.Tests;

/// <summary>
/// The native library as scripts/publish-native.sh makes it, and native/host.c compiled by gcc against ONNX Runtime's own
/// headers and library. Made once for all tests, in a temporary folder.
/// </summary>
public sealed class NativeHost : IDisposable
{
    private const string LibraryName = "libdovetail_onnxruntime.so";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dovetail-native-");

    public NativeHost()
    {
        string package = typeof(NativeHost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(data => data.Key == "OnnxRuntimePackage").Value!;
        string headers = Path.Combine(package, "build", "native", "include");
        string library = Path.Combine(package, "runtimes", RuntimeInformation.RuntimeIdentifier, "native", "libonnxruntime.so");
        File.CreateSymbolicLink(Path.Combine(Folder, "libonnxruntime.so.1"), library); // its soname
        Succeed("bash", [Path.Combine(Repository.Root, "scripts", "publish-native.sh"), Folder]);
        Compile(Path.Combine(Repository.Root, "tests", "Dovetail.Native.Tests", "native", "host.c"), "host", headers);
        Compile(Path.Combine(Repository.Root, "samples", "c", "run_packed.c"), "run_packed", headers);
    }

    public string Folder => _folder.FullName;

    /// <summary>What users register.</summary>
    public string Library => Path.Combine(Folder, LibraryName);

    /// <summary>The build for one level of x86-64.</summary>
    public string Level(int level) => Path.Combine(Folder, $"libdovetail_onnxruntime.x86-64-v{level}.so");

    public string FileName(string name) => Path.Combine(Folder, name);

    /// <summary>Runs a program of the folder on a library; <paramref name="kernel"/> goes into DOVETAIL_KERNEL.</summary>
    internal ProcessResult Run(string program, string[] arguments, string library, string? kernel = null) =>
        Start(FileName(program), [library, .. arguments], kernel);

    public void Dispose() => _folder.Delete(recursive: true);

    private void Compile(string source, string program, string headers) => Succeed(
        "gcc",
        [
            "-std=c11", "-pthread", "-D_POSIX_C_SOURCE=200809L", "-O1", "-Wall", "-Wextra", "-Werror", "-I", headers, source,
            "-o", FileName(program), FileName("libonnxruntime.so.1"), "-Wl,-rpath,$ORIGIN",
        ]);

    private static void Succeed(string program, string[] arguments)
    {
        ProcessResult result = Start(program, arguments, kernel: null);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}: "
            + $"{result.Output}{result.Errors}");
    }

    private static ProcessResult Start(string program, string[] arguments, string? kernel)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Remove("MSBuildSDKsPath"); // a test host's own would mislead the SDK
        start.Environment["DOVETAIL_KERNEL"] = kernel ?? "";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return new ProcessResult(process.ExitCode, output.Result, errors.Result);
    }
}

/// <summary>How a program ended.</summary>
internal sealed record ProcessResult(int ExitCode, string Output, string Errors);
