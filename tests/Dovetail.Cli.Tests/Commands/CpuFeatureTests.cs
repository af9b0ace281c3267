using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using Dovetail.Benchmarking;
using Dovetail.Cli.Commands.Doctor;
using Dovetail.Kernels.Dispatch;

namespace Dovetail.Cli.Tests.Commands;

/// <summary>What <c>dovetail doctor</c> says of instruction sets, and of what they gain.</summary>
public sealed class CpuFeatureTests
{
    private const string Without = "Layers are slower: they run with AVX2 instead.";

    private static readonly CpuFeature s_missing = new("AVX-512", false, true, "much", Without, ["EnableHWIntrinsic", "EnableAVX512"]);

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "0", true, "no: DOTNET_EnableAVX512=0 turns it off", true)]
    [InlineData("COMPlus_EnableHWIntrinsic", "00", null, "no: COMPlus_EnableHWIntrinsic=00 turns it off", true)]
    [InlineData("DOTNET_EnableAVX512", "1", true, "no: the CPU has it, and .NET does not use it", false)]
    [InlineData("DOTNET_EnableAVX512", "0", false, "no", false)]
    [InlineData("DOTNET_EnableAES", "0", null, "no", false)]
    public void What_is_missing_has_its_cause_and_its_effect(string variable, string value, bool? isInCpu, string found, bool isSwitch)
    {
        string advice = isSwitch ? $"{Without} To use it, unset {variable}." : Without;
        Finding finding = Examination.OfFeature(s_missing with { IsInCpu = isInCpu }, name => name == variable ? value : null);
        Assert.Equal((FindingStatus.Missing, found, advice), (finding.Status, finding.Found, finding.Advice));
        Finding good = Examination.OfFeature(s_missing with { Has = true }, _ => "0");
        Assert.Equal((FindingStatus.Good, "yes: much", null), (good.Status, good.Found, good.Advice));
    }

    /// <summary>Each sentence says what is lost and what is used; none of them is put together from halves.</summary>
    [Fact]
    public void Every_feature_says_what_runs_instead()
    {
        Assert.All(CpuFeature.All, feature => Assert.Matches("^[A-Za-z0-9]+ .*(slow|slower|no speed): .* instead.*\\.$", feature.Without));
        Assert.Equal(Avx2.IsSupported && Fma.IsSupported, CpuFeature.All.Single(feature => feature.Name == "AVX2 and FMA").Has);
        Assert.Equal(Avx512F.IsSupported && Avx512BW.IsSupported, CpuFeature.All.Single(feature => feature.Name == "AVX-512 F/BW").Has);
    }

    /// <summary>.NET's switches take AVX-512 or all vectors away: the cause is named, and the gains are of a CPU like that.</summary>
    [Theory]
    [InlineData("EnableAVX512", true)]
    [InlineData("EnableHWIntrinsic", false)]
    public async Task A_switch_of_NET_is_named_and_the_gains_follow(string name, bool hasGains)
    {
        Assert.SkipUnless(Avx512F.IsSupported && CpuFeature.All.All(feature => feature.Has), "This CPU has no AVX-512 to turn off.");
        Dictionary<string, string?> off = new() { [$"DOTNET_{name}"] = "0" };
        CliProcess.Outcome all = await CliProcess.RunAsync("doctor", "--json", "-");
        CliProcess.Outcome some = await CliProcess.RunAsync(["doctor", "--json", "-"], off);
        JsonElement[] gains = Gains(all), without = Gains(some);
        Assert.Contains(gains, gain => gain.GetProperty("pattern").GetString() == "1:16");
        Assert.DoesNotContain(gains, gain => gain.GetProperty("without_avx512").GetBoolean());
        Assert.Equal(hasGains, without.Length > 0);
        Assert.All(without, gain => Assert.True(gain.GetProperty("without_avx512").GetBoolean()));
        JsonElement finding = JsonDocument.Parse(some.Output).RootElement.GetProperty("findings").EnumerateArray()
            .Single(entry => entry.GetProperty("subject").GetString() == "AVX-512 F/BW");
        Assert.Equal($"no: DOTNET_{name}=0 turns it off", finding.GetProperty("found").GetString());
        Assert.Contains(hasGains ? "a CPU without it gains more" : "is not measured", some.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_kernel_of_the_table_is_in_the_registry()
    {
        HashSet<string> names =
        [
            .. KernelRegistry.Float32.Concat(KernelRegistry.BFloat16Operands).Select(kernel => kernel.Name),
            .. KernelRegistry.Quantized.Select(kernel => kernel.Name),
        ];
        Assert.All(ExpectedGains.All.SelectMany(gain => gain.Kernels), name => Assert.Contains(name, names));
    }

    private static JsonElement[] Gains(CliProcess.Outcome outcome) =>
        [.. JsonDocument.Parse(outcome.Output).RootElement.GetProperty("expected_gains").EnumerateArray()];
}
