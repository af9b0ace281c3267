using System.Diagnostics;
using Dovetail.Benchmarking;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Data;
using Dovetail.Rtl;
using Dovetail.Rtl.Synthesis;
using Dovetail.Training.Native;

namespace Dovetail.Cli.Commands.Doctor;

/// <summary>Looks at everything that Dovetail may use here. Every look is independent: one failure hides no other.</summary>
internal static class Examination
{
    private const string InstallHint = "apt-get install ";

    public static IReadOnlyList<Finding> Run() =>
    [
        new("Dovetail", FindingStatus.Good, $"{MachineFacts.Version}, commit {MachineFacts.Commit}"),
        new(".NET", FindingStatus.Good, $"{MachineFacts.Runtime} on {MachineFacts.Os}"),
        new("CPU", FindingStatus.Good, $"{MachineFacts.Cpu}, {Environment.ProcessorCount} threads, "
            + $"{MachineFacts.TotalMemoryBytes / 1e9:0.0} GB of memory"),
        .. CpuFeature.All.Select(feature => OfFeature(feature, Environment.GetEnvironmentVariable)),
        OnnxRuntime(),
        Torch(),
        Tool("Verilator", "verilator", "--version", "The RTL is not checked: codesign skips that, and rtl --check fails."),
        Tool("C++ compiler", "g++", "--version", "Verilator needs it, and the RTL is not checked without."),
        Tool("make", "make", "--version", "Verilator needs it, and the RTL is not checked without."),
        Tool("Yosys", "yosys", "-V", "rtl --synth does not work; nothing else needs it."),
        CellLibrary(),
        FashionMnistData(),
        Cache(),
    ];

    /// <param name="environment">The process's variables by name.</param>
    internal static Finding OfFeature(CpuFeature feature, Func<string, string?> environment)
    {
        if (feature.Has)
            return new Finding(feature.Name, FindingStatus.Good, $"yes: {feature.UsedFor}");
        if (feature.IsInCpu != false && feature.FindSwitch(environment) is { } found)
            return new Finding(
                feature.Name, FindingStatus.Missing, $"no: {found}={environment(found)} turns it off",
                $"{feature.Without} To use it, unset {found}.");
        string answer = feature.IsInCpu == true ? "no: the CPU has it, and .NET does not use it" : "no";
        return new Finding(feature.Name, FindingStatus.Missing, answer, feature.Without);
    }

    private static Finding OnnxRuntime()
    {
        try
        {
            return new("ONNX Runtime", FindingStatus.Good, MachineFacts.OnnxRuntimeVersion);
        }
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException)
        {
            return new("ONNX Runtime", FindingStatus.Broken, (error.InnerException ?? error).Message,
                "Its package ships x86-64 and Arm builds for Linux (glibc 2.27 or newer), Windows and macOS; use one of these.");
        }
    }

    private static Finding Torch()
    {
        const string Subject = "libtorch";
        try
        {
            var locator = new LibTorchLocator();
            if (locator.Find() is null)
                return new(Subject, FindingStatus.Missing, "not here yet",
                    "The first train, codesign or bench --against libtorch brings it: " +
                    $"{LibTorchPackage.Current!.PackageBytes / 1e6:0} MB from your NuGet sources, " +
                    $"into {locator.CacheFolder ?? "the cache"}.");
        }
        catch (NativeLibraryException error)
        {
            return new(Subject, FindingStatus.Broken, error.Message, "Training does not work; the other verbs do.");
        }

        TorchRuntimeState state = TorchRuntime.Describe();
        string patch = state.IsPatched
            ? ", through a patched copy of TorchSharp's library, as this system's libstdc++ is older than GCC 13" : "";
        return state.IsAvailable
            ? new(Subject, FindingStatus.Good, $"{state.Version} in {state.Location!.Folder}{patch}")
            : new(Subject, FindingStatus.Broken, state.Problem ?? "not available", "Training does not work; the other verbs do.");
    }

    private static Finding Tool(string subject, string command, string versionArgument, string without)
    {
        string advice = $"{without} {InstallHint}{command}";
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, versionArgument)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            string text = process.StandardOutput.ReadToEnd();
            if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
            {
                process.Kill();
                return new(subject, FindingStatus.Missing, $"'{command} {versionArgument}' does not answer", advice);
            }

            return process.ExitCode == 0
                ? new(subject, FindingStatus.Good, text.Split('\n')[0].Trim())
                : new(subject, FindingStatus.Missing, $"'{command} {versionArgument}' ended with code {process.ExitCode}", advice);
        }
        catch (Exception error) when (error is System.ComponentModel.Win32Exception or IOException)
        {
            return new(subject, FindingStatus.Missing, "not found", advice);
        }
    }

    private static Finding CellLibrary()
    {
        const string Subject = "Cell library (OSU 0.18 µm)";
        try
        {
            return new(Subject, FindingStatus.Good, YosysDriver.LocateLibrary(null));
        }
        catch (ToolMissingException)
        {
            return new(
                Subject, FindingStatus.Missing, "not found",
                $"rtl --synth has no cells to map to; nothing else needs it. {InstallHint}qflow-tech-osu018");
        }
    }

    private static Finding FashionMnistData()
    {
        try
        {
            ImageDataset data = FashionMnist.Load();
            string found = $"{data.Train.Count:N0} + {data.Test.Count:N0} images, {data.Source}";
            return data.Source.IsSample
                ? new(
                    "Fashion-MNIST", FindingStatus.Missing, found,
                    "A sample takes its place, and networks trained on it are less accurate. "
                    + $"The full set: ./dovetail data get fashion-mnist, or {InstallHint}{FashionMnist.DebianPackage}")
                : new("Fashion-MNIST", FindingStatus.Good, found);
        }
        catch (DovetailException error)
        {
            return new(
                "Fashion-MNIST", FindingStatus.Broken, error.Message,
                "Nothing can be trained on it. Bring it anew: ./dovetail data get fashion-mnist");
        }
    }

    private static Finding Cache() => UserCache.Root is { } root
        ? new("Cache folder", FindingStatus.Good, Directory.Exists(root) ? root : $"{root} (made when needed)")
        : new(
            "Cache folder", FindingStatus.Missing, "no home folder",
            "Nothing is kept: pack measures this machine anew each time, and data sets cannot be brought. "
            + $"Set {UserCache.Variable} to a folder that may be written.");
}
