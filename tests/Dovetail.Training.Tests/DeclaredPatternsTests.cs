using Dovetail.Core.Patterns;
using Dovetail.Data;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Training.Engine;

namespace Dovetail.Training.Tests;

/// <summary>A trained model declares which layers have which pattern; nobody needs to find out.</summary>
[Collection(TorchCollection.Name)]
public sealed class DeclaredPatternsTests
{
    private static readonly ImageDataset Data = SmallModels.Stripes();
    private static readonly ComplementaryPattern Pattern = new(2, 8), Other = new(1, 4);

    [Theory]
    [InlineData(true, "b.node")]
    [InlineData(false, "b.node", "y.node")]
    public void The_layers_under_masks_are_declared_and_packed_by_that(bool keepHeadDense, params string[] expected)
    {
        TrainingOptions options = Options(TrainingMethod.SrSte) with { KeepHeadDense = keepHeadDense };
        OnnxModel model = Trainer.Train(SmallModels.Classifier(1), Data, options).Model;
        Assert.Equal(expected.ToDictionary(name => name, _ => Pattern), LayerPatterns.Find(model));
        PackingResult packed = PackingPass.PackDeclared(model, new PackingOptions { AllowLarger = true });
        Assert.Equal(expected, packed.Layers.Where(layer => layer.Pattern == Pattern).Select(layer => layer.Name));
    }

    [Fact]
    public void A_cancelled_training_declares_what_it_leaves()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        OnnxModel model = Trainer.Train(SmallModels.Classifier(1), Data, Options(TrainingMethod.Growing), null, cancelled.Token).Model;
        Assert.Equal(["b.node"], LayerPatterns.Find(model)!.Keys);
        PackingPass.PackDeclared(model, new PackingOptions { AllowLarger = true });
    }

    [Fact]
    public void Layers_that_share_their_weights_are_all_declared()
    {
        OnnxModel model = SmallModels.Model(["N", 1, 8, 8],
            [
                SmallModels.Node("Flatten", ["x"], "f"),
                SmallModels.Node("MatMul", ["f", "w"], "a"),
                SmallModels.Node("Relu", ["a"], "r"),
                SmallModels.Node("MatMul", ["r", "w"], "b"),
                SmallModels.Node("Gemm", ["b", "w"], "c", AttributeProto.Of("transB", 1)), // other cells: the mask is not its pattern's
                SmallModels.Node("MatMul", ["c", "head"], "y"),
            ],
            ("w", [64, 64], SmallModels.Uniform(1, 4096, -0.2f, 0.2f)), ("head", [64, 4], SmallModels.Uniform(2, 256, -0.2f, 0.2f)));
        TrainingResult result = Trainer.Train(model, Data, Options(TrainingMethod.SrSte) with { LearningRate = 0.01 });
        Assert.Equal(["a.node", "b.node"], LayerPatterns.Find(result.Model)!.Keys);
        Assert.Single(result.Masks);
    }

    [Fact]
    public void A_dense_training_withdraws_what_no_longer_holds_and_keeps_what_stayed()
    {
        OnnxModel model = SmallModels.Classifier(1);
        WeightLayer layer = WeightLayers.Find(model).Single(l => l.Name == "b.node");
        float[] weights = layer.GetWeights();
        bool[] mask = Projection.Project(Array.ConvertAll(weights, Math.Abs), new CellLayout(Other, layer.Shape));
        layer.SetWeights([.. weights.Zip(mask, (w, kept) => kept ? w : 0)]);
        LayerPatterns.Declare(model, new Dictionary<string, ComplementaryPattern> { ["b.node"] = Other });

        OnnxModel relearned = Trainer.Train(model, Data, Options(TrainingMethod.Dense)).Model;
        Assert.Null(LayerPatterns.Find(relearned));
        Assert.Null(relearned.FindMetadata(LayerPatterns.CommonMetadata));

        OnnxModel frozen = Trainer.Train(model, Data, Options(TrainingMethod.Dense) with { FrozenTensors = ["b.w"] }).Model;
        Assert.Equal(new Dictionary<string, ComplementaryPattern> { ["b.node"] = Other }, LayerPatterns.Find(frozen));
        TrainingOptions options = Options(TrainingMethod.SrSte) with { FrozenTensors = ["b.w"], KeepHeadDense = false };
        OnnxModel mixed = Trainer.Train(model, Data, options).Model;
        Assert.Equal(new Dictionary<string, ComplementaryPattern> { ["b.node"] = Other, ["y.node"] = Pattern }, LayerPatterns.Find(mixed));
        PackingPass.PackDeclared(mixed, new PackingOptions { AllowLarger = true });
    }

    private static TrainingOptions Options(TrainingMethod method) => new()
    {
        Method = method,
        Pattern = Pattern,
        Epochs = 1,
        BatchSize = 32,
        Threads = 1,
        BFloat16 = false,
        MaskInterval = 5,
        Seed = 7,
    };
}
