using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace Dovetail.Benchmarking;

/// <summary>An instruction set that is used where .NET lets it be.</summary>
/// <param name="Has">True where it is used here.</param>
/// <param name="IsInCpu">Whether the CPU has it, whatever .NET makes of it; null where the system does not say.</param>
/// <param name="UsedFor">What is done with it.</param>
/// <param name="Without">What is lost without it, and what runs instead: sentences.</param>
/// <param name="Switches">.NET's switches that turn it off, without their prefix.</param>
public sealed record CpuFeature(
    string Name, bool Has, bool? IsInCpu, string UsedFor, string Without, IReadOnlyList<string> Switches)
{
    private static readonly string[] s_avx2Switches = ["EnableHWIntrinsic", "EnableSSE42", "EnableAVX", "EnableAVX2"];
    private static readonly string[] s_avx512Switches = [.. s_avx2Switches, "EnableAVX512"];
    private static readonly string[] s_vbmiSwitches = [.. s_avx512Switches, "EnableAVX512v2"];

    /// <summary>All of this machine, best first.</summary>
    public static IReadOnlyList<CpuFeature> All { get; } = Read();

    /// <summary>
    /// The variable that turns it off, e.g. "DOTNET_EnableAVX512"; null where none does. .NET reads DOTNET_NAME, and COMPlus_NAME of
    /// old; the values are hexadecimal.
    /// </summary>
    /// <param name="environment">The process's variables by name.</param>
    public string? FindSwitch(Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        return Switches.SelectMany(name => (string[])[$"DOTNET_{name}", $"COMPlus_{name}"]).FirstOrDefault(
            name => int.TryParse(environment(name), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int value) && value == 0);
    }

    private static CpuFeature[] Read()
    {
        HashSet<string>? flags = Flags();
        bool? In(params string[] names) => flags is null ? null : names.All(flags.Contains);
        bool avx512 = Avx512F.IsSupported && Avx512BW.IsSupported;
        return
        [
            new("AVX-512 VBMI", Avx512Vbmi.IsSupported, In("avx512vbmi"), "int8 layers select among 64 inputs by one byte permute",
                "int8 layers are slower: they take their weights one by one and compute many pixels at once instead.", s_vbmiSwitches),
            new("AVX-512 F/BW", avx512, In("avx512f", "avx512bw"), "fp32 layers select among 16 or 32 inputs by one permute",
                "fp32 layers are slower: they run with AVX2 instead, 8 numbers at once.", s_avx512Switches),
            new("AVX2 and FMA", Avx2.IsSupported && Fma.IsSupported, In("avx2", "fma"), "fp32 layers select among 8 inputs by one permute",
                "Packed layers are slow: they run in vectors of 4 numbers instead, and may be slower than dense ones.", s_avx2Switches),
            new("AVX-512 BF16", avx512 && HasCpuidBit(subleaf: 1, bit: 5, ofEcx: false), In("avx512_bf16"),
                "training in bf16, and layers packed with --operands bf16 at twice fp32's rate",
                "Training and --operands bf16 gain no speed: training runs in fp32 instead, and such layers round their operands and "
                + "multiply in fp32.", s_avx512Switches),
            new("AVX-512 VNNI", avx512 && HasCpuidBit(subleaf: 0, bit: 11, ofEcx: true), In("avx512_vnni"),
                "int8 layers multiply and add four bytes at once, as ONNX Runtime's dense ones do",
                "int8 layers are slower: they multiply and add in several steps instead. ONNX Runtime's dense int8 may be inexact on a CPU "
                + "without it.", s_avx512Switches),
        ];
    }

    // CPUID leaf 7 (Intel SDM, volume 2, CPUID). Asked only where there is AVX-512, and with it this leaf.
    private static bool HasCpuidBit(int subleaf, int bit, bool ofEcx)
    {
        (int eax, _, int ecx, _) = X86Base.CpuId(7, subleaf);
        return subleaf <= X86Base.CpuId(7, 0).Eax && ((ofEcx ? ecx : eax) >> bit & 1) != 0;
    }

    private static HashSet<string>? Flags()
    {
        const string File = "/proc/cpuinfo";
        if (!System.IO.File.Exists(File))
            return null;
        string? line = System.IO.File.ReadLines(File).FirstOrDefault(text => text.StartsWith("flags", StringComparison.Ordinal));
        return line is null ? null : [.. line[(line.IndexOf(':') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }
}
