using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Permute;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Pruning;

public sealed class PruningPassTests
{
    private static readonly ComplementaryPattern s_pattern = new(1, 16);
    private static readonly ComplementaryPattern[] s_candidates = [
        .. ((string[])["1:2", "1:8", "1:16", "4:64", "1:32"]).Select(ComplementaryPattern.Parse)];

    [Theory]
    [InlineData("fashion-cnn", "1:16")]
    [InlineData("mlp", "2:32")]
    [InlineData("mlp", "1:8/out")]
    public void What_was_pruned_satisfies_what_it_declares_and_the_head_stays_dense(string name, string pattern)
    {
        using var folder = new TemporaryFolder();
        PruningResult result = PruningPass.Prune(ZooModels.Create(name, 1), ComplementaryPattern.Parse(pattern));
        result.Model.Save(folder.File("sparse.onnx"));
        Verdict verdict = Verification.Run(folder.File("sparse.onnx"), null);
        Assert.True(verdict.Satisfied, verdict.FirstViolation?.Message);
        Assert.Equal(("head", LayerVerdict.Unchecked), (verdict.Layers[^1].Name, verdict.Layers[^1].Status));
        Assert.Equal((DenseCause.Head, null), (result.Layers[^1].Dense!.Cause, result.Layers[^1].Mask));
        Assert.Equal(pattern, verdict.Pattern);
        using WeightFile file = WeightFile.Open(folder.File("sparse.onnx"));
        Assert.Null(file.DeclaredFor("head"));
        Assert.Equal(ComplementaryPattern.Parse(pattern), file.DeclaredFor(result.Layers[1].Name));
        Assert.Equal(Patterns(result), PackingPass.PackDeclared(result.Model).Layers.Select(l => l.Pattern));
    }

    /// <summary>The masks of the result, the zeros of the model and the owners of the packed model are one and the same.</summary>
    [Theory]
    [InlineData("fashion-cnn", "2:16")]
    [InlineData("mlp", "1:8/out@strided")]
    [InlineData("mlp", "1:4x2")]
    public void What_is_packed_is_the_mask_that_was_returned(string name, string pattern)
    {
        PruningResult result = PruningPass.Prune(ZooModels.Create(name, 3), ComplementaryPattern.Parse(pattern), new PruningOptions
        {
            Head = true,
        });
        Dictionary<string, WeightLayer> written = WeightLayers.Find(result.Model).ToDictionary(layer => layer.Name);
        OnnxModel packed = PackingPass.PackDeclared(result.Model, new PackingOptions { AllowLarger = true }).Model;
        Dictionary<string, PackedLayer> layers = PackedModelReader.Read(packed).Layers.ToDictionary(layer => layer.Name);
        foreach (PrunedLayer layer in result.Layers.Where(layer => layer.Pattern is not null))
        {
            Assert.Equal(layer.Mask, written[layer.Name].GetNonZeros());
            Assert.Equal(layer.Mask, Packer.UnpackMask(layers[layer.Name].Weights));
        }

        Assert.True(result.Layers.Count(layer => layer.Mask is not null) >= 3);
    }

    [Fact]
    public void Layers_named_with_a_pattern_are_pruned_and_no_others()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        var patterns = new Dictionary<string, ComplementaryPattern>
        {
            ["head"] = new(1, 4),
            ["fc2"] = new(2, 32),
            ["fc1"] = ComplementaryPattern.Dense
        };
        PruningResult result = PruningPass.Prune(model, patterns);
        Assert.Equal([null, new ComplementaryPattern(2, 32), new ComplementaryPattern(1, 4)], Patterns(result));
        Assert.Equal(DenseCause.NotAsked, result.Layers[0].Dense!.Cause);
        Assert.Equal(["fc2", "head"], LayerPatterns.Find(result.Model)!.Keys);
        Assert.Null(LayerPatterns.Find(model)); // a copy is pruned
        Assert.Equal(
            "The model has no layer 'fc3' with weights, expected one of: fc1, fc2, head.",
            Assert.Throws<OnnxException>(
                () => PruningPass.Prune(model, new Dictionary<string, ComplementaryPattern> { ["fc3"] = s_pattern })).Message);
        Assert.Equal(
            "Pattern 1:16/out does not fit layer 'head': 10 outputs are fewer than the group, 16.",
            Assert.Throws<PatternException>(
                () => PruningPass.Prune(
                    model, new Dictionary<string, ComplementaryPattern> { ["head"] = new(1, 16, CellAxis.Output) })).Message);
    }

    [Fact]
    public void A_layer_that_breaks_lacks_or_cannot_take_its_declared_pattern_is_named()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = PruningPass.Prune(ZooModels.Create("mlp", 1), s_pattern).Model;
        LayerPatterns.Declare(
            model, new Dictionary<string, ComplementaryPattern>
            {
                ["fc1"] = new(1, 16),
                ["fc2"] = new(1, 32),
                ["head"] = new(1, 16, CellAxis.Output),
                ["fc9"] = new(1, 16)
            });
        model.Save(folder.File("sparse.onnx"));
        Verdict verdict = Verification.Run(folder.File("sparse.onnx"), null);
        Assert.Equal(["fc2", "head", "fc9"], verdict.Violations.Select(v => v.Layer));
        Assert.Equal("10 outputs are fewer than the group, 16", verdict.Violations[1].Message);
        Assert.Equal("the file declares 1:16 for it, and has no such layer", verdict.Violations[2].Message);
    }

    [Theory]
    [InlineData(AllocationMethod.Uniform, CostUnit.Macs)]
    [InlineData(AllocationMethod.ErdosRenyiKernel, CostUnit.Macs)]
    [InlineData(AllocationMethod.CapturedEnergy, CostUnit.Macs)]
    [InlineData(AllocationMethod.CapturedEnergy, CostUnit.Bytes)]
    public void An_allocation_stays_in_its_budget_and_is_what_is_packed(AllocationMethod method, CostUnit unit)
    {
        OnnxModel model = ZooModels.Create("fashion-cnn", 1);
        PruningResult result = PruningPass.Prune(model, new AllocationOptions(method, s_candidates, unit, Budget.Parse("10%")!));
        LayerAllocation allocation = result.Allocation!;
        Assert.InRange(allocation.Result.Cost, 1, allocation.Budget);
        Assert.Equal(allocation.DenseCost / 10, allocation.Budget);
        PackingResult packed = PackingPass.PackDeclared(result.Model);
        Assert.Equal(Patterns(result), packed.Layers.Select(l => l.Pattern));
        Assert.Null(result.Layers[^1].Pattern);
        Assert.Equal("no candidate fits it", result.Layers[0].Dense!.Words);
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
        PruningResult Run(PermutationPassOptions? permutation) => PruningPass.Prune(model, s_pattern, new PruningOptions
        {
            Permutation = permutation,
        });
        var search = new PermutationPassOptions { MaxEvaluations = 1_000_000 };
        PruningResult plain = Run(null), stored = Run(search), folded = Run(search with { AllowStored = false });
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
        Assert.Equal(stored.Layers.Select(l => l.CapturedEnergy), Run(search).Layers.Select(l => l.CapturedEnergy)); // reproducible
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Progress_grows_to_the_whole_and_the_work_can_be_given_up(bool order)
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        var options = new PruningOptions { Permutation = order ? new PermutationPassOptions { MaxEvaluations = 1000 } : null };
        var shares = new Shares();
        PruningPass.Prune(model, s_pattern, options, shares);
        Assert.Equal(shares.Order(), shares);
        Assert.Equal(1, shares[^1]);
        Assert.True(shares.Count >= (order ? 5 : 3)); // two searches and three layers
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => PruningPass.Prune(model, s_pattern, options, null, source.Token));
    }

    [Fact]
    public void A_pattern_that_fits_the_head_alone_asks_for_the_head()
    {
        OnnxModel model = Graphs.Of(
            [1, 8], [1, 4], [new NodeProto("MatMul", "body", ["x", "w1"], ["h"]), new NodeProto("MatMul", "last", ["h", "w2"], ["y"])],
            [Graphs.Random("w1", 1, 8, 32), Graphs.Random("w2", 2, 32, 4)]);
        Assert.Equal(
            "Pattern 1:16 fits the head alone, 'last', which stays dense. Prune the head too, or choose a smaller group.",
            Assert.Throws<PatternException>(() => PruningPass.Prune(model, s_pattern)).Message);
        PruningResult result = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true });
        Assert.Equal([null, s_pattern], Patterns(result));
        Assert.Equal(new DenseReason(DenseCause.DoesNotFit, "8 channels are fewer than the group, 16"), result.Layers[0].Dense);
    }

    [Fact]
    public void Too_small_a_budget_int8_weights_packed_ones_and_numbers_that_are_none_are_refused()
    {
        OnnxModel model = ZooModels.Create("mlp", 1);
        var options = new AllocationOptions(AllocationMethod.CapturedEnergy, s_candidates, CostUnit.Macs, Budget.Parse("2%")!);
        Assert.Equal(
            "The cheapest patterns of all 3 layers cost 26112, and the budget is 13373. Allow sparser patterns or a larger budget. The "
            + "unit is multiply-accumulates; the dense network costs 668672.",
            Assert.Throws<DovetailException>(() => PruningPass.Prune(model, options)).Message);
        OnnxModel quantized = QuantizationPass.Quantize(
            model, QuantizationPass.TensorsToCalibrate(model).ToDictionary(tensor => tensor, _ => (Min: -4f, Max: 4f)));
        Assert.Equal("Layer 'fc1' has int8 weights; prune the floating-point model and quantize it again.", Message(quantized));
        Assert.Equal(
            "ai.dovetail.PackedGemm 'fc1' is packed already; prune the model that was packed.",
            Message(PackingPass.PackDeclared(PruningPass.Prune(model, s_pattern).Model).Model));
        WeightLayer layer = WeightLayers.Find(model)[1];
        float[] weights = layer.GetWeights();
        weights[7] = float.NaN;
        layer.SetWeights(weights);
        PruningResult others = PruningPass.Prune(model, s_pattern);
        Assert.Equal(
            new DenseReason(DenseCause.NotFinite, "the weight at row 0, column 7 is NaN, expected a finite number"),
            others.Layers[1].Dense);
        Assert.NotNull(others.Layers[0].Pattern);
        Assert.Equal(["fc1"], LayerPatterns.Find(others.Model)!.Keys);

        static string Message(OnnxModel model) => Assert.Throws<OnnxException>(() => PruningPass.Prune(model, s_pattern)).Message;
    }

    private static IEnumerable<ComplementaryPattern?> Patterns(PruningResult result) => result.Layers.Select(layer => layer.Pattern);

    private sealed class Shares : List<double>, IProgress<double>
    {
        public void Report(double value) => Add(value);
    }
}
