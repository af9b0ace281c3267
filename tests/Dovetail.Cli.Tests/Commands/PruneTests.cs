using System.Text.Json;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Permute;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Cli.Tests.Commands;

public sealed class PruneTests
{
    private static readonly ComplementaryPattern[] Candidates = [.. ((string[])["1:2", "1:8", "1:16", "4:64", "1:32"]).Select(ComplementaryPattern.Parse)];

    [Theory]
    [InlineData("fashion-cnn", "1:16")]
    [InlineData("mlp", "2:32")]
    [InlineData("mlp", "1:8/out")]
    public void What_was_pruned_satisfies_what_it_declares_and_the_head_stays_dense(string name, string pattern)
    {
        using var folder = new TemporaryFolder();
        PruneResult result = PruneJob.Run(ZooModels.Create(name, 1), new PruneOptions(ComplementaryPattern.Parse(pattern), Head: false, null, null));
        result.Model.Save(folder.File("sparse.onnx"));
        Verdict verdict = Verification.Run(folder.File("sparse.onnx"), null);
        Assert.True(verdict.Satisfied, verdict.FirstViolation?.Message);
        Assert.Equal(("head", LayerVerdict.Unchecked), (verdict.Layers[^1].Name, verdict.Layers[^1].Status));
        Assert.Equal(pattern, verdict.Pattern);
        using WeightFile file = WeightFile.Open(folder.File("sparse.onnx"));
        Assert.Null(file.DeclaredFor("head"));
        Assert.Equal(ComplementaryPattern.Parse(pattern), file.DeclaredFor(result.Layers[1].Name));
        Assert.Equal(result.Layers.Where(l => l.Pattern is not null).Select(l => l.Name), PackingPass.PackDeclared(result.Model).Layers.Where(l => l.Pattern is not null).Select(l => l.Name));
    }

    [Fact]
    public void A_layer_that_breaks_lacks_or_cannot_take_its_declared_pattern_is_named()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = PruneJob.Run(ZooModels.Create("mlp", 1), new PruneOptions(new(1, 16), Head: false, null, null)).Model;
        LayerPatterns.Declare(model, new Dictionary<string, ComplementaryPattern> { ["fc1"] = new(1, 16), ["fc2"] = new(1, 32), ["head"] = new(1, 16, CellAxis.Output), ["fc9"] = new(1, 16) });
        model.Save(folder.File("sparse.onnx"));
        Verdict verdict = Verification.Run(folder.File("sparse.onnx"), null);
        Assert.Equal(["fc2", "head", "fc9"], verdict.Violations.Select(v => v.Layer));
        Assert.Equal("10 outputs are fewer than the group, 16", verdict.Violations[1].Message);
        Assert.Equal("the file declares 1:16 for it, and has no such layer", verdict.Violations[2].Message);
    }

    [Theory]
    [InlineData(AllocationMethod.Uniform, "macs")]
    [InlineData(AllocationMethod.ErdosRenyiKernel, "macs")]
    [InlineData(AllocationMethod.CapturedEnergy, "macs")]
    [InlineData(AllocationMethod.CapturedEnergy, "bytes")]
    public void An_allocation_stays_in_its_budget_and_is_what_is_packed(AllocationMethod method, string cost)
    {
        CostUnit unit = Enum.Parse<CostUnit>(cost, ignoreCase: true);
        OnnxModel model = ZooModels.Create("fashion-cnn", 1);
        PruneResult result = PruneJob.Run(model, new PruneOptions(ComplementaryPattern.Dense, Head: false, new AllocationOptions(method, Candidates, unit, Budget.Parse("10%")!, null), null));
        LayerAllocation allocation = result.Allocation!;
        Assert.InRange(allocation.Result.Cost, 1, allocation.Budget);
        Assert.Equal(result.DenseCost / 10, allocation.Budget);
        PackingResult packed = PackingPass.PackDeclared(result.Model);
        Assert.Equal(result.Layers.Select(l => l.Pattern), packed.Layers.Select(l => l.Pattern));
        Assert.Null(result.Layers[^1].Pattern);
        Assert.Equal("no candidate fits it", result.Layers[0].DenseReason);
        if (unit == CostUnit.Bytes)
            Assert.Equal(allocation.Result.Cost, packed.Layers.Sum(l => l.PackedBytes));
        // the sum of shares: what the layers kept, and 1 for each dense one
        Assert.Equal(allocation.Result.Score, result.Layers.Sum(l => l.CapturedEnergy), 1e-5);
        Assert.Equal(method == AllocationMethod.CapturedEnergy, allocation.Result.IsOptimal);
    }

    [Fact]
    public void Orders_raise_what_is_kept_and_gathers_appear_only_where_they_may()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        PruneResult Run(PermuteOptions? permute) => PruneJob.Run(model, new PruneOptions(new(1, 16), Head: false, null, permute));
        PruneResult plain = Run(null), stored = Run(new PermuteOptions(null, FoldOnly: false, 1)), folded = Run(new PermuteOptions(TimeSpan.FromSeconds(20), FoldOnly: true, 1));
        Assert.All(plain.Layers, layer => Assert.Null(layer.Order));
        foreach ((PrunedLayer before, PrunedLayer after) in plain.Layers.Zip(stored.Layers).SkipLast(1))
        {
            Assert.True(after.CapturedEnergy > before.CapturedEnergy, after.Name);
            Assert.Equal(before.CapturedEnergy, after.Order!.CapturedBefore, 1e-6);
            Assert.Equal(after.CapturedEnergy, after.Order.CapturedAfter, 1e-6);
        }

        Assert.Equal([PermutationOutcome.Stored, PermutationOutcome.Folded], stored.Layers.SkipLast(1).Select(l => l.Order!.Outcome));
        Assert.Contains(stored.Model.Nodes, n => n.Is("Gather"));
        Assert.Equal([PermutationOutcome.Unchanged, PermutationOutcome.Folded], folded.Layers.SkipLast(1).Select(l => l.Order!.Outcome));
        Assert.DoesNotContain(folded.Model.Nodes, n => n.Is("Gather"));
        Assert.Equal(stored.Layers.Select(l => l.CapturedEnergy), Run(new PermuteOptions(null, FoldOnly: false, 1)).Layers.Select(l => l.CapturedEnergy)); // reproducible
    }

    [Fact]
    public void A_search_can_be_given_up()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => PruneJob.Run(
            ZooModels.Create("mlp", 1), new PruneOptions(new(1, 16), Head: false, null, new PermuteOptions(null, FoldOnly: false, 1)), null, source.Token));
    }

    [Fact]
    public void Latencies_are_those_that_bench_wrote()
    {
        using var folder = new TemporaryFolder();
        Write("a.json", ("fc1", "1:8", 80, 20), ("fc2", "1:8", 50, 12));
        Write("b.json", ("fc1", "1:16", 82, 9.5), ("fc2", "1:16", 48, 13));
        LatencyTable table = LatencyTable.Load([folder.File("a.json"), folder.File("b.json")]);
        Assert.Equal((80_000, 48_000, 9_500, 0), (table.Nanoseconds("fc1", ComplementaryPattern.Dense), table.Nanoseconds("fc2", ComplementaryPattern.Dense), table.Nanoseconds("fc1", new(1, 16)), table.Nanoseconds("head", ComplementaryPattern.Dense)));
        // within 22 µs: fc1 at 1:16 (9.5) with fc2 at 1:8 (12), where 1:16 is slower and keeps less
        PruneResult result = PruneJob.Run(ZooModels.Create("mlp", 1), new PruneOptions(
            ComplementaryPattern.Dense, Head: true, new AllocationOptions(AllocationMethod.CapturedEnergy, Candidates, CostUnit.Latency, Budget.Parse("22")!, table), null));
        Assert.Equal(["1:16", "1:8", null], result.Layers.Select(l => l.Pattern?.ToString()));
        Assert.Equal("it was not measured", result.Layers[^1].DenseReason);
        Assert.Equal((21_500, 128_000), (result.Allocation!.Result.Cost, result.DenseCost));

        File.WriteAllText(folder.File("c.json"), "{\"layers\":[{\"name\":\"fc1\"}]}");
        Assert.StartsWith($"'{folder.File("c.json")}' is not what 'dovetail bench --json FILE' writes (layers with name, pattern, dense_us and packed_us)", Assert.Throws<DovetailException>(() => LatencyTable.Load([folder.File("c.json")])).Message);
        Write("d.json", ("fc1", "1:8", 0, 1));
        Assert.Contains("layer 'fc1' takes 0 µs under 1:1, expected a positive time", Assert.Throws<DovetailException>(() => LatencyTable.Load([folder.File("d.json")])).Message);
        Assert.Contains("cannot be read", Assert.Throws<DovetailException>(() => LatencyTable.Load([folder.File("nowhere.json")])).Message);

        void Write(string name, params (string Name, string Pattern, double Dense, double Packed)[] layers) =>
            File.WriteAllText(folder.File(name), JsonSerializer.Serialize(new { layers = layers.Select(l => new { name = l.Name, pattern = l.Pattern, dense_us = l.Dense, packed_us = l.Packed }) }));
    }

    [Theory]
    [InlineData("8%", 0.08, true)]
    [InlineData("0.0625", 0.0625, true)]
    [InlineData("1", 1, true)]
    [InlineData("100%", 1, true)]
    [InlineData("420", 420, false)]
    [InlineData("1.5M", 1.5e6, false)]
    [InlineData("300k", 3e5, false)]
    [InlineData("0.5k", 500, false)]
    [InlineData("2G", 2e9, false)]
    public void Budgets_are_shares_or_numbers(string text, double value, bool share)
    {
        Budget budget = Budget.Parse(text)!;
        Assert.Equal(value, budget.Value, 1e-12 * value);
        Assert.Equal(share, budget.IsShare);
    }

    [Theory]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("0")]
    [InlineData("-3")]
    [InlineData("101%")]
    [InlineData("1,5M")]
    [InlineData("12 %")]
    [InlineData("1e999")]
    [InlineData("many")]
    public void What_is_no_budget_is_refused(string text) => Assert.Null(Budget.Parse(text));

    [Theory]
    [InlineData("m.onnx --allocation energy", "--allocation chooses among --candidates within --budget: give --budget, and no --pattern.")]
    [InlineData("m.onnx --allocation energy --budget 8% --pattern 1:16", "--allocation chooses among --candidates within --budget: give --budget, and no --pattern.")]
    [InlineData("m.onnx --budget 8%", "--candidates, --budget, --cost and --latency belong to --allocation; give it too, e.g. --allocation energy.")]
    [InlineData("m.onnx --allocation energy --budget 8% --cost latency", "--cost latency and --latency FILE go together.")]
    [InlineData("m.onnx --allocation energy --budget 8% --latency a.json", "--cost latency and --latency FILE go together.")]
    [InlineData("m.onnx --fold-only", "--fold-only belongs to --permute; give it too.")]
    [InlineData("m.onnx --permute 0", "--permute is '0', expected seconds above 0, or nothing (then name the model before it).")]
    [InlineData("m.onnx --allocation erk --budget 1e3", "--budget is '1e3', expected a share up to 100% of the dense network (8%, 0.08), or a number above 1 (1.5M, 300k, 420).")]
    public void Options_that_contradict_each_other_are_one_message(string arguments, string message) =>
        Assert.Equal(message, Assert.Single(CommandLine.Root().Parse(["prune", .. arguments.Split(' ')]).Errors).Message);

    [Fact]
    public void Too_small_a_budget_int8_weights_and_packed_ones_are_refused()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        string message = Assert.Throws<DovetailException>(() => PruneJob.Run(model, new PruneOptions(
            ComplementaryPattern.Dense, Head: false, new AllocationOptions(AllocationMethod.CapturedEnergy, Candidates, CostUnit.Macs, Budget.Parse("2%")!, null), null))).Message;
        Assert.Equal("The cheapest patterns of all 3 layers cost 26112, and the budget is 13373. Allow sparser patterns or a larger budget. The unit is multiply-accumulates; the dense network costs 668672.", message);
        OnnxModel quantized = QuantizationPass.Quantize(model, QuantizationPass.TensorsToCalibrate(model).ToDictionary(tensor => tensor, _ => (Min: -4f, Max: 4f)));
        Assert.Equal("Layer 'fc1' has int8 weights; prune the floating-point model and quantize it again.",
            Assert.Throws<OnnxException>(() => PruneJob.Run(quantized, new PruneOptions(new(1, 16), Head: false, null, null))).Message);
        Assert.Equal("ai.dovetail.PackedGemm 'fc1' is packed already; prune the model that was packed.",
            Assert.Throws<OnnxException>(() => PruneJob.Run(PackingPass.PackDeclared(PruneJob.Run(model, new PruneOptions(new(1, 16), Head: false, null, null)).Model).Model, new PruneOptions(new(1, 16), Head: false, null, null))).Message);
    }

    [Fact]
    public async Task The_verb_says_what_it_chose()
    {
        using var folder = new TemporaryFolder();
        CliProcess.Outcome outcome = await CliProcess.RunAsync(
            "prune", "zoo:mlp", "--allocation", "energy", "--candidates", "1:8", "1:16", "4:64", "--budget", "9%", "--permute", "--out", folder.File("sparse.onnx"), "--json", "-");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        JsonElement allocation = json.RootElement.GetProperty("allocation");
        Assert.Equal("CapturedEnergy", allocation.GetProperty("method").GetString());
        Assert.True(allocation.GetProperty("cost").GetInt64() <= allocation.GetProperty("budget").GetInt64());
        Assert.Equal("head", Assert.Single(json.RootElement.GetProperty("dense_layers").EnumerateArray()).GetProperty("name").GetString());
        JsonElement order = json.RootElement.GetProperty("layers")[1].GetProperty("order");
        Assert.Equal("folded", order.GetProperty("outcome").GetString());
        Assert.True(order.GetProperty("captured_energy_before").GetDouble() < json.RootElement.GetProperty("layers")[1].GetProperty("captured_energy").GetDouble());
        Assert.Contains("the greatest there is", outcome.Error); // the words for people
        Assert.Equal(0, (await CliProcess.RunAsync("verify", folder.File("sparse.onnx"))).ExitCode);
        CliProcess.Outcome packed = await CliProcess.RunAsync("pack", folder.File("sparse.onnx"), "--pack", "all", "--out", folder.File("packed.onnx"));
        Assert.True(packed.ExitCode == 0, packed.Error);
        Assert.Contains("the model declares it dense", packed.Output);
    }
}
