using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Pruning;

namespace Dovetail.Onnx.Tests.Pruning;

public sealed class AllocationPassTests
{
    private static readonly ComplementaryPattern[] Candidates = [
        .. ((string[])["2:4", "1:4", "1:8", "1:16", "4:64", "1:16x2"]).Select(ComplementaryPattern.Parse)];

    // picoseconds: a fixed part a layer, and what the machine gains is less than the sparsity
    private static long Latency(WeightLayer layer, ComplementaryPattern pattern) =>
        1000 + (long)(layer.Workload.DenseMacs * (pattern.IsDense ? 1 : 0.1 + 0.9 * pattern.Density));

    public static TheoryData<string, string, int> Budgets()
    {
        var budgets = new TheoryData<string, string, int>();
        foreach (string model in (string[])["mlp", "fashion-cnn"])
            foreach (string unit in (string[])["macs", "bytes", "int8 bytes", "latency"])
                foreach (int percent in (int[])(model == "mlp" ? [20, 45, 80] : [45]))
                    budgets.Add(model, unit, percent);
        return budgets;
    }

    /// <summary>The exact method against all combinations, with costs and energies computed here from masks.</summary>
    [Theory, MemberData(nameof(Budgets))]
    public void CapturedEnergy_IsTheBestOfAll(string name, string unit, int percent)
    {
        OnnxModel model = Graphs.Trained(name, 7);
        WeightLayer[] layers = [.. WeightLayers.Find(model)];
        Func<WeightLayer, ComplementaryPattern, long> cost = Cost(unit);
        long budget = layers.Sum(l => cost(l, ComplementaryPattern.Dense)) * percent / 100;
        LayerAllocation found = AllocationPass.Allocate(model, AllocationMethod.CapturedEnergy, Candidates, budget, cost);

        (long Cost, double Score)[][] table = [
            .. layers.Select(
                l => Candidates.Where(c => l.ReasonAgainst(c) is null).Prepend(ComplementaryPattern.Dense)
                .Select(c => (CostByHand(l, c, unit), Energy(l, c))).ToArray())];
        Assert.Equal(Best(table, 0, budget), found.Result.Score, 1e-6 * found.Result.Score);
        Assert.True(found.Result.IsOptimal);
        Assert.InRange(found.Result.Cost, 1, budget);
        Assert.Equal(layers.Select(l => l.Name), found.Layers.Select(l => l.Layer));
        foreach (AllocationMethod method in (AllocationMethod[])[AllocationMethod.Uniform, AllocationMethod.ErdosRenyiKernel])
        {
            LayerAllocation other = AllocationPass.Allocate(model, method, Candidates, budget, cost);
            Assert.InRange(other.Result.Cost, 1, budget);
            Assert.InRange(other.Result.Score, 0, found.Result.Score * (1 + 1e-9));
        }
    }

    /// <summary>What was allocated in bytes is what the packing pass writes.</summary>
    [Theory]
    [InlineData(AllocationMethod.Uniform)]
    [InlineData(AllocationMethod.ErdosRenyiKernel)]
    [InlineData(AllocationMethod.CapturedEnergy)]
    public void Allocation_IsWhatIsPacked(AllocationMethod method)
    {
        OnnxModel model = Graphs.Trained("fashion-cnn", 7);
        LayerAllocation allocation = AllocationPass.Allocate(model, method, Candidates, 400_000, LayerCosts.Bytes());
        PackingResult packed = PackingPass.PackDeclared(PruningPass.Prune(model, allocation.LayerPatterns).Model);
        Assert.Equal(allocation.Result.Cost, packed.Layers.Sum(l => l.PackedBytes));
        Assert.Equal(
            allocation.Layers.Select(l => l.Choice.Pattern.IsDense ? null : l.Choice.Pattern), packed.Layers.Select(l => l.Pattern));
        if (method == AllocationMethod.Uniform)
            Assert.Single(allocation.LayerPatterns.Values.Distinct());
        else
            Assert.True(allocation.LayerPatterns.Values.Distinct().Count() > 1);
    }

    [Fact]
    public void Weights_ShiftTheBudget()
    {
        OnnxModel model = Graphs.Trained("mlp", 7);
        long budget = WeightLayers.Find(model).Sum(l => l.Workload.DenseMacs) / 8;
        ComplementaryPattern Of(Func<WeightLayer, double>? weight) =>
            AllocationPass.Allocate(
                model, AllocationMethod.CapturedEnergy, Candidates, budget, LayerCosts.MultiplyAccumulates, weight).Layers.Single(l =>
                l.Layer == "fc2").Choice.Pattern;
        Assert.True(Of(l => l.Name == "fc2" ? 100 : 1).Density > Of(l => l.Name == "fc2" ? 0.01 : 1).Density);
    }

    [Fact]
    public void ABudgetThatIsTooSmall_IsRefused()
    {
        foreach (AllocationMethod method in Enum.GetValues<AllocationMethod>())
            Assert.Contains(
                "the budget is 5", Assert.Throws<DovetailException>(
                    () => AllocationPass.Allocate(
                        Graphs.Trained("mlp", 7), method, Candidates, 5, LayerCosts.MultiplyAccumulates)).Message);
    }

    private static Func<WeightLayer, ComplementaryPattern, long> Cost(string unit) => unit switch
    {
        "macs" => LayerCosts.MultiplyAccumulates,
        "bytes" => LayerCosts.Bytes(),
        "int8 bytes" => LayerCosts.Bytes(DType.Int8),
        _ => Latency,
    };

    private static long CostByHand(WeightLayer layer, ComplementaryPattern pattern, string unit)
    {
        if (unit == "latency")
            return Latency(layer, pattern);
        PackedTensor<float> packed = Packer.Pack<float>(
            Array.ConvertAll(Mask(layer, pattern), kept => kept ? 1f : 0), new CellLayout(pattern, layer.Shape));
        return unit switch
        {
            "macs" => (long)packed.Values.Length * layer.Workload.N,
            "bytes" => packed.ByteCount,
            _ => packed.Values.Length + packed.EncodeOwners().Length + 4L * layer.Shape.Outputs,
        };
    }

    private static double Energy(WeightLayer layer, ComplementaryPattern pattern)
    {
        bool[] mask = Mask(layer, pattern);
        return layer.GetWeights().Where((_, i) => mask[i]).Sum(w => (double)w * w);
    }

    private static bool[] Mask(WeightLayer layer, ComplementaryPattern pattern) =>
        Projection.Project(Array.ConvertAll(layer.GetWeights(), w => w * w), new CellLayout(pattern, layer.Shape));

    private static double Best((long Cost, double Score)[][] table, int layer, long budget)
    {
        if (budget < 0)
            return double.NegativeInfinity;
        return layer == table.Length ? 0 : table[layer].Max(choice => choice.Score + Best(table, layer + 1, budget - choice.Cost));
    }
}
