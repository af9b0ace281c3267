using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Benchmarking;

/// <summary>What this machine and this build are, for reports and for <c>doctor</c>. Nothing here loads Torch.</summary>
public static class MachineFacts
{
    public static string Version { get; } =
        typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    /// <summary>The commit that was built, where the build knew it.</summary>
    public static string Commit { get; } =
        typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, string commit]
            ? commit[..Math.Min(12, commit.Length)]
            : "unknown";

    /// <summary>The processor's name.</summary>
    public static string Cpu { get; } = CpuName();

    /// <summary>The instruction sets that the kernels ask for and this CPU has, best first.</summary>
    public static IReadOnlyList<string> InstructionSets { get; } = [.. Features().Where(feature => feature.Has).Select(feature => feature.Name)];

    public static string Os => RuntimeInformation.OSDescription;

    public static string Runtime => RuntimeInformation.FrameworkDescription;

    public static string OnnxRuntimeVersion => OrtEnv.Instance().GetVersionString();

    /// <summary>What ran, for a result's <c>versions</c>.</summary>
    public static object Versions => new { dovetail = Version, commit = Commit, runtime = Runtime, onnx_runtime = OnnxRuntimeVersion };

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

    public static IEnumerable<(string Name, bool Has, string UsedFor)> Features()
    {
        yield return ("AVX-512 VBMI", Avx512Vbmi.IsSupported, "int8 selection of 64 inputs by one byte permute");
        yield return ("AVX-512 F/BW", Avx512F.IsSupported && Avx512BW.IsSupported, "fp32 selection of 16 or 32 inputs by one permute");
        yield return ("AVX2 and FMA", Avx2.IsSupported && Fma.IsSupported, "fp32 selection of 8 inputs by one permute");
        yield return ("AVX-512 BF16", CpuFlags().Contains("avx512_bf16"), "training in bf16, 1.5 to 2 times faster");
        yield return ("AVX-512 VNNI", CpuFlags().Contains("avx512_vnni"), "ONNX Runtime's dense int8, our peer");
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

    private static HashSet<string> CpuFlags()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/proc/cpuinfo"))
            return [];
        string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(text => text.StartsWith("flags", StringComparison.Ordinal));
        return line is null ? [] : [.. line[(line.IndexOf(':') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }
}
