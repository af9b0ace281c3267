using System.Text.Json;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Tests.Reports;
using Dovetail.Core;

namespace Dovetail.Cli.Tests.Commands;

/// <summary><c>dovetail rtl</c>: one multiplier for all that it does, and a check that fails is a failure.</summary>
public sealed class RtlTests
{
    /// <summary>Where Verilator does not work or is not there, --check ends with an error, whatever the tile is made of.</summary>
    [Theory]
    [InlineData(true, "failed", "verilator failed with exit code 3")]
    [InlineData(false, "failed", "verilator failed with exit code 3")]
    [InlineData(true, "skipped", "names '/no/such/verilator', which is no file")]
    [InlineData(false, "skipped", "names '/no/such/verilator', which is no file")]
    public async Task A_check_that_could_not_be_done_is_a_failure(bool ofModel, string status, string says)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell script stands for Verilator.");
        using var folder = new TemporaryFolder();
        string verilator = folder.File("verilator");
        await File.WriteAllTextAsync(verilator, "#!/bin/sh\necho broken >&2\nexit 3\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(verilator, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        SparseModels.PackedInt8("1:4").Save(folder.File("packed.onnx"));
        string[] ofTile = ofModel ? ["--model", "packed.onnx"] : [];
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["rtl", "--pattern", "1:4", "--rows", "2", "--cols", "2", "--out", "rtl", "--check", "--json", "r.json", .. ofTile],
            new Dictionary<string, string?> { ["DOVETAIL_VERILATOR"] = status == "failed" ? verilator : "/no/such/verilator" },
            folder.Path);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains(says, Assert.Single(outcome.ErrorLines));
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File("r.json")));
        Assert.Equal(status, json.RootElement.GetProperty("check").GetProperty("status").GetString());
    }

    /// <summary>The multiplier that was asked for is in the text and in the areas; by default --synth takes full adders for both.</summary>
    [Fact]
    public async Task One_multiplier_for_what_is_emitted_and_what_is_synthesised()
    {
        (string Multiplier, double Area, bool HasAdders) operators = await SynthesiseAsync("--multiplier", "operator");
        (string Multiplier, double Area, bool HasAdders) adders = await SynthesiseAsync("--multiplier", "full-adders");
        Assert.Equal(("operator", false), (operators.Multiplier, operators.HasAdders));
        Assert.Equal(("full-adders", true), (adders.Multiplier, adders.HasAdders));
        Assert.True(adders.Area < 0.9 * operators.Area, $"{adders.Area} and {operators.Area}");
        Assert.Equal(adders, await SynthesiseAsync());
    }

    [Theory]
    [InlineData("different", "Two executions differ that must agree: RTL = cycle simulator")]
    [InlineData("failed", "A check could not be done: RTL = cycle simulator: no room on the disk. The report is written.")]
    public void A_job_whose_check_failed_says_which_kind_of_failure_it_is(string status, string says)
    {
        CodesignResult good = ResultFixture.Full();
        CodesignJob.CheckAgreement(good);
        EqualityCheck check = good.Equality[^1] with { Status = status, Detail = "no room on the disk." };
        CodesignResult bad = good with { Equality = [.. good.Equality.SkipLast(1), check] };
        var error = Assert.Throws<DovetailException>(() => CodesignJob.CheckAgreement(bad));
        Assert.StartsWith(says, error.Message, StringComparison.Ordinal);
    }

    private static async Task<(string Multiplier, double Area, bool HasAdders)> SynthesiseAsync(params string[] more)
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            ["rtl", "--pattern", "1:2", "--rows", "1", "--cols", "1", "--out", folder.File("rtl"), "--synth", "--json", "-", .. more]);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        double area = json.RootElement.GetProperty("area").GetProperty("complementary").GetDouble();
        string multiplier = json.RootElement.GetProperty("multiplier").GetString()!;
        return (multiplier, area, File.Exists(Path.Combine(folder.File("rtl"), "dovetail_full_adder.sv")));
    }
}
