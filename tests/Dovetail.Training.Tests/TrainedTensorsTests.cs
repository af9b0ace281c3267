using Dovetail.Data;
using Dovetail.Onnx.Model;
using Dovetail.Training.Engine;

namespace Dovetail.Training.Tests;

/// <summary>What is learned moves in a training, and what stays keeps its bits.</summary>
[Collection(TorchCollection.Name)]
public sealed class TrainedTensorsTests
{
    private static readonly ImageDataset Data = SmallModels.Stripes();

    [Fact]
    public void Constants_keep_their_bits_and_what_is_asked_for_changes_them()
    {
        OnnxModel model = WithConstants();
        TrainingResult usual = Trainer.Train(model, Data, Options());
        Assert.Equal(["dead", "input.mean", "input.scale", "positions"], Unchanged(model, usual.Model));
        Assert.Equal(
            ["input.mean", "input.scale", "positions"],
            usual.Tensors.Where(t => t is { Use: TensorUse.Fixed, Elements: > 1 }).Select(t => t.Name).Order());
        Assert.Equal(usual.Tensors, Trainer.Tensors(model, Options()), Same);

        TrainingOptions asked = Options() with { TrainedTensors = ["positions"], FrozenTensors = ["b.w", "head.b"] };
        TrainingResult result = Trainer.Train(model, Data, asked);
        Assert.Equal(["b.w", "dead", "head.b", "input.mean", "input.scale"], Unchanged(model, result.Model));
    }

    /// <summary>"dead" is a scale whose gradient is zero, and so is that of the weights before it, which decay.</summary>
    [Fact]
    public void Weights_decay_and_scales_do_not_whatever_their_rank()
    {
        OnnxModel model = WithConstants();
        TrainingResult result = Trainer.Train(model, Data, Options() with { WeightDecay = 0.01 });
        float[] before = model.FindInitializer("dead.w")!.Read<float>(), after = result.Model.FindInitializer("dead.w")!.Read<float>();
        Assert.All(before.Zip(after), pair => Assert.True(Math.Abs(pair.Second) < Math.Abs(pair.First)));
        Assert.Equal(model.FindInitializer("dead")!.Read<float>(), result.Model.FindInitializer("dead")!.Read<float>());
        Assert.Equal(["a.w", "b.w", "dead.w", "head.w"], result.Tensors.Where(t => t.IsDecayed).Select(t => t.Name).Order());
    }

    /// <summary>The classifier behind (x − mean)·scale, with a table of positions and a branch that a factor of zero cuts off.</summary>
    private static OnnxModel WithConstants()
    {
        OnnxModel model = SmallModels.Classifier(1);
        model.Nodes.InsertRange(0,
        [
            SmallModels.Node("Sub", ["x", "input.mean"], "centred"),
            SmallModels.Node("Mul", ["centred", "input.scale"], "scaled"),
        ]);
        model.FindNode("a.node")!.Inputs[0] = "scaled";
        int at = model.Nodes.IndexOf(model.FindNode("b.node")!);
        model.Nodes.InsertRange(at,
        [
            SmallModels.Node("Conv", ["r", "dead.w"], "branch", SmallModels.Ints("pads", 1, 1, 1, 1)),
            SmallModels.Node("Mul", ["branch", "dead"], "branch.scaled"),
            SmallModels.Node("Mul", ["branch.scaled", "zero"], "branch.off"),
            SmallModels.Node("Add", ["r", "branch.off"], "joined"),
            SmallModels.Node("Add", ["joined", "positions"], "placed"),
        ]);
        model.FindNode("b.node")!.Inputs[0] = "placed";
        void Add(string name, long[] dims, float[] values) => model.Graph.Initializers.Add(TensorData.Create<float>(name, dims, values));
        Add("input.mean", [1, 1, 1, 8], SmallModels.Uniform(20, 8, 0.2f, 0.5f));
        Add("input.scale", [1, 1, 8, 1], SmallModels.Uniform(21, 8, 0.5f, 1.5f));
        Add("positions", [1, 1, 8, 8], SmallModels.Uniform(22, 64, -0.1f, 0.1f));
        Add("dead.w", [16, 16, 3, 3], SmallModels.Uniform(23, 2304, 0.1f, 0.2f));
        Add("dead", [16, 1, 1], SmallModels.Uniform(24, 16, 0.5f, 1));
        Add("zero", [], [0]);
        return model;
    }

    private static TrainingOptions Options() => new()
    {
        Method = TrainingMethod.Dense,
        Epochs = 1,
        BatchSize = 32,
        Threads = 1,
        BFloat16 = false,
        Seed = 7,
    };

    /// <summary>The tensors of more than one element that are the same in both, in ordinal order.</summary>
    private static IEnumerable<string> Unchanged(OnnxModel before, OnnxModel after) => before.Graph.Initializers
        .Where(t => t.ElementCount() > 1 && t.Read<float>().SequenceEqual(after.FindInitializer(t.Name)!.Read<float>()))
        .Select(t => t.Name).Order(StringComparer.Ordinal);

    private static bool Same(TrainedTensor a, TrainedTensor b) =>
        (a.Name, a.Use, a.IsDecayed, a.Reason) == (b.Name, b.Use, b.IsDecayed, b.Reason) && a.Dims.SequenceEqual(b.Dims);
}
