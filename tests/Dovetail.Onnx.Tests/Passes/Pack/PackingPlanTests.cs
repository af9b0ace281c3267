using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Passes.Pack;

/// <summary>The plan says beforehand what the written model then is.</summary>
public sealed class PackingPlanTests
{
    [Theory]
    [InlineData("fashion-cnn", 0, 0)]
    [InlineData("mlp", 0, 0)]
    [InlineData("resnet20", 0, 0)]
    [InlineData("mobilenet-v2", 64, 0)]
    [InlineData("vit-s", 48, 1)]
    public void A_plan_of_a_network_is_what_is_written(string name, int imageSize, int depth)
    {
        OnnxModel sparse = ZooModels.Create(name, 3, new ZooOptions
        {
            ImageSize = imageSize == 0 ? null : imageSize,
            Depth = depth == 0 ? null : depth,
        });
        ComplementaryPattern pattern = ComplementaryPattern.Parse("1:16");
        Graphs.Project(sparse, pattern);
        byte[] before = sparse.ToBytes();
        PackingPlan plan = PackingPass.Plan(sparse, pattern);
        Assert.Equal(before, sparse.ToBytes());
        AssertWritten(sparse, plan, PackingPass.Pack(sparse, pattern));
    }

    [Fact]
    public void A_plan_names_each_layer_with_its_shape_and_why_it_stays_dense()
    {
        OnnxModel sparse = Graphs.Sparse("fashion-cnn", 3, "1:16");
        PackingPlan plan = PackingPass.Plan(sparse, ComplementaryPattern.Parse("1:16"));
        Assert.Equal(
            WeightLayers.Find(sparse).Select(layer => (layer.Name, layer.Shape)), plan.Layers.Select(layer => (layer.Name, layer.Shape)));
        ChannelsLastRegion region = Assert.Single(plan.Layout.Regions);
        Assert.Equal(["down1", "down2", "block1.conv1", "block1.conv2"], region.Layers);
        Assert.Equal([new LayoutTranspose("stem.relu.output", true)], plan.Layout.Transposes);
        LayerPlan stem = plan.Layers[0];
        Assert.Equal(("stem", null, "1 channel is fewer than the group, 16"), (stem.Name, stem.Pattern, stem.DenseReason));
        Assert.Equal(stem.DenseBytes, stem.PackedBytes);
        LayerPlan packed = plan.Packed.First();
        long weights = packed.Shape.Count; // fp32: 4 bytes; packed 1:16: a sixteenth of them and as many owners of 4 bits
        Assert.Equal((weights * 4, weights / 16 * 4 + weights / 16 / 2), (packed.DenseBytes, packed.PackedBytes));
        Assert.Equal(plan.Layers.Sum(layer => layer.PackedBytes), plan.PackedBytes);
    }

    /// <summary>Layers that stay dense make borders between regions.</summary>
    [Fact]
    public void Transposes_are_planned_for_every_choice_of_layers()
    {
        OnnxModel sparse = Graphs.Sparse("fashion-cnn", 3, "1:16");
        ComplementaryPattern pattern = ComplementaryPattern.Parse("1:16");
        string[] convolutions = [
            .. PackingPass.Plan(sparse, pattern).Packed.Select(layer => layer.Name).Where(name => sparse.FindNode(name)!.Is("Conv"))];
        Assert.Equal(4, convolutions.Length);
        for (int mask = 1; mask < 1 << convolutions.Length; mask++)
        {
            var options = new PackingOptions
            {
                AllowLarger = true,
                KeepDense = convolutions.Where((_, i) => (mask >> i & 1) == 0).ToDictionary(name => name, _ => "asked for"),
            };
            AssertWritten(sparse, PackingPass.Plan(sparse, pattern, options), PackingPass.Pack(sparse, pattern, options));
        }
    }

    [Fact]
    public void Sizes_that_are_not_fixed_are_planned_too()
    {
        OnnxModel model = Graphs.Of(
            ["N", 16, "H", "W"], ["N", 16, "H", "W"],
            [new NodeProto("Conv", "conv", ["x", "w"], ["c"]), new NodeProto("Relu", "relu", ["c"], ["y"])],
            [Graphs.Random("w", 1, 16, 16, 1, 1)]);
        ComplementaryPattern pattern = ComplementaryPattern.Parse("1:4");
        Graphs.Project(model, pattern);
        PackingPlan plan = PackingPass.Plan(model, pattern, new PackingOptions { AllowLarger = true });
        Assert.Equal([new LayoutTranspose("x", true), new LayoutTranspose("y", false)], plan.Layout.Transposes);
        AssertWritten(model, plan, PackingPass.Pack(model, pattern, new PackingOptions { AllowLarger = true }));
    }

    [Fact]
    public void Where_the_file_would_grow_the_result_says_what_was_written_instead()
    {
        OnnxModel model = Graphs.Of(
            ["N", 64], ["N", 16],
            [new NodeProto("Gemm", "large", ["x", "v"], ["h"]), new NodeProto("Gemm", "small", ["h", "w"], ["y"])],
            [Graphs.Random("v", 1, 64, 64), Graphs.Random("w", 2, 64, 16)]);
        ComplementaryPattern pattern = ComplementaryPattern.Parse("13:16");
        Graphs.Project(model, pattern);
        foreach (LayerPlan layer in PackingPass.Plan(model, pattern).Packed)
            Assert.True(layer.PackedBytes < layer.DenseBytes);
        PackingResult result = PackingPass.Pack(model, pattern);
        Assert.True(result.Model.ByteCount <= model.ByteCount);
        AssertWritten(model, result.Plan, result);
    }

    [Fact]
    public void The_page_lists_the_passes_in_order()
    {
        string[] page = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "operators.md"));
        Assert.Equal(
            PackingSteps.All.Select((step, i) => $"{i + 1}. `{step.Name}`: {step.Description}"),
            page.SkipWhile(line => line != "## How a model is packed").Where(line => line.Length > 0 && char.IsDigit(line[0])));
    }

    [Fact]
    public void Passes_prepare_then_plan_then_draw_then_write()
    {
        int[] stages = [
            .. PackingSteps.All.Select(step => step switch { PreparationStep => 0, PlanningStep => 1, DrawingStep => 2, _ => 3 })];
        Assert.Equal(stages.Order(), stages);
        Assert.Equal(stages.Length, PackingSteps.All.Select(step => step.Name).Distinct().Count());
        Assert.Equal("fold-batch-norms: Batch norms are folded into the convolutions before them.", PackingSteps.All[0].ToString());
    }

    private static void AssertWritten(OnnxModel source, PackingPlan plan, PackingResult result)
    {
        Assert.Equal(plan.Layers, result.Layers);
        Assert.Equal(plan.Packed.Select(layer => layer.Name).Order(), result.Model.Nodes.Where(PackedWeights.IsPacked)
            .Select(node => node.Name).Order());
        HashSet<string> own = [.. source.Nodes.Select(node => node.Name)];
        Assert.Equal(
            plan.Layout.Transposes.Select(transpose => transpose.Image).Order(),
            result.Model.Nodes.Where(node => node.Is("Transpose") && !own.Contains(node.Name))
                .Select(node => node.FindInts("perm") is [0, 2, 3, 1] ? node.Inputs[0] : node.Outputs[0]).Order());
        Assert.Equal(
            plan.Packed.Select(layer => layer.Name).Where(name => PackedWeights.IsConvolution(result.Model.FindNode(name)!)).Order(),
            plan.Layout.Regions.SelectMany(region => region.Layers).Order());
    }
}
