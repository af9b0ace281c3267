using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Benchmarking;

/// <summary>What this machine and this build are, for reports and for <c>doctor</c>. Nothing here loads Torch.</summary>
public static class MachineFacts
{
    public static string Version { get; } =
        typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? "unknown";

    /// <summary>The commit that was built, where the build knew it.</summary>
    public static string Commit { get; } =
        typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')
            is [_, string commit]
            ? commit[..Math.Min(12, commit.Length)]
            : "unknown";

    /// <summary>The processor's name.</summary>
    public static string Cpu { get; } = CpuName();

    /// <summary>The instruction sets that the kernels ask for and this CPU has, best first.</summary>
    public static IReadOnlyList<string> InstructionSets { get; } =
        [.. CpuFeature.All.Where(feature => feature.Has).Select(feature => feature.Name)];

    public static string Os => RuntimeInformation.OSDescription;

    public static string Runtime => RuntimeInformation.FrameworkDescription;

    public static string OnnxRuntimeVersion => OrtEnv.Instance().GetVersionString();

    public static long TotalMemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The largest resident size of this process so far.</summary>
    public static double PeakMemoryMegabytes
    {
        get
        {
            using var self = Process.GetCurrentProcess();
            return self.PeakWorkingSet64 / 1e6;
        }
    }

    private static string CpuName()
    {
        const string Fallback = "unknown CPU";
        if (OperatingSystem.IsLinux() && File.Exists("/proc/cpuinfo"))
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal));
            return line is null ? $"{RuntimeInformation.ProcessArchitecture} CPU" : line[(line.IndexOf(':') + 1)..].Trim();
        }

        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? Fallback;
    }
}
