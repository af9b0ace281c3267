using System.Text.Json;

namespace Dovetail.Cli.Tests.Commands;

public sealed class PruneTests
{
    [Theory]
    [InlineData("m.onnx --allocation energy", "--allocation chooses among --candidates within --budget: give --budget, and no --pattern.")]
    [InlineData("m.onnx --allocation energy --budget 8% --pattern 1:16", "--allocation chooses among --candidates within --budget: give "
        + "--budget, and no --pattern.")]
    [InlineData("m.onnx --budget 8%", "--candidates, --budget, --cost and --latency belong to --allocation; give it too, e.g. --allocation "
        + "energy.")]
    [InlineData("m.onnx --allocation energy --budget 8% --cost latency", "--cost latency and --latency FILE go together.")]
    [InlineData("m.onnx --allocation energy --budget 8% --latency a.json", "--cost latency and --latency FILE go together.")]
    [InlineData("m.onnx --fold-only", "--fold-only belongs to --permute; give it too.")]
    [InlineData("m.onnx --permute 0", "--permute is '0', expected seconds above 0, or nothing (then name the model before it).")]
    [InlineData("m.onnx --allocation erk --budget 1e3", "--budget is '1e3', expected a share up to 100% of the dense network (8%, 0.08), "
        + "or a number above 1 (1.5M, 300k, 420).")]
    public void Options_that_contradict_each_other_are_one_message(string arguments, string message) =>
        Assert.Equal(message, Assert.Single(CommandLine.Root().Parse(["prune", .. arguments.Split(' ')]).Errors).Message);

    [Fact]
    public async Task The_verb_says_what_it_chose()
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "prune", "zoo:mlp", "--allocation", "energy", "--candidates", "1:8", "1:16", "4:64", "--budget", "9%", "--permute", "--out",
            folder.File("sparse.onnx"), "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        JsonElement allocation = json.RootElement.GetProperty("allocation");
        Assert.Equal("CapturedEnergy", allocation.GetProperty("method").GetString());
        Assert.True(allocation.GetProperty("cost").GetInt64() <= allocation.GetProperty("budget").GetInt64());
        Assert.Equal("head", Assert.Single(json.RootElement.GetProperty("dense_layers").EnumerateArray()).GetProperty("name").GetString());
        JsonElement order = json.RootElement.GetProperty("layers")[1].GetProperty("order");
        Assert.Equal("folded", order.GetProperty("outcome").GetString());
        Assert.True(order.GetProperty("captured_energy_before").GetDouble() < json.RootElement.GetProperty("layers")[1]
            .GetProperty("captured_energy").GetDouble());
        Assert.Contains("the greatest there is", outcome.Error); // the words for people
        Assert.Equal(0, (await CliProcess.RunAsync("verify", folder.File("sparse.onnx"))).ExitCode);
        CliProcess.Outcome packed = await CliProcess.RunAsync(
            "pack", folder.File("sparse.onnx"), "--pack", "all", "--out", folder.File("packed.onnx"));
        Assert.True(packed.ExitCode == 0, packed.Error);
        Assert.Contains("the model declares it dense", packed.Output);
    }
}
