using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Onnx.Tests.Passes.Normalize;

public sealed class BatchNormFoldingTests
{
    [Fact]
    public void The_folded_network_computes_the_same()
    {
        OnnxModel model = Graphs.Sparse("fashion-cnn", 3, "1:16"), folded = model.Clone();
        Assert.Equal(5, BatchNormFolding.Fold(folded));
        folded.CheckGraph();
        Assert.DoesNotContain(folded.Nodes, n => n.OpType == "BatchNormalization");
        float[] images = Oracle.Images(4, 3);
        Oracle.AssertClose(
            Oracle.Run(model, images, [3, 1, 28, 28])["logits"].Data, Oracle.Run(folded, images, [3, 1, 28, 28])["logits"].Data, 1e-5f);
    }

    [Fact]
    public void Zeros_stay_zeros_and_nothing_else_becomes_one()
    {
        OnnxModel model = Graphs.Sparse("fashion-cnn", 3, "1:16"), folded = model.Clone();
        BatchNormFolding.Fold(folded);
        Assert.Equal(
            WeightLayers.Find(model).Select(l => l.GetNonZeros()),
            WeightLayers.Find(folded).Select(l => l.GetNonZeros()));
    }

    [Fact]
    public void A_convolution_with_bias_and_shared_weights_folds_into_weights_of_its_own()
    {
        TensorProto[] constants =
        [
            Graphs.Random("w", 1, 4, 4, 3, 3), Graphs.Random("b", 2, 4), Graphs.Random("s", 3, 4), Graphs.Random("t", 4, 4),
                Graphs.Random("m", 5, 4),
            TensorData.Create<float>("v", [4], [1f, 2, 0.1f, 3]),
        ];
        OnnxModel model = Graphs.Of(["N", 4, 5, 5], ["N", 4, 1, 1],
        [
            new("Conv", "c1", ["x", "w", "b"], ["a"]), new("BatchNormalization", "n1", ["a", "s", "t", "m", "v"], ["d"]),
            new("Conv", "c2", ["d", "w", "b"], ["e"]), new("BatchNormalization", "n2", ["e", "s", "t", "m", "v"], ["y"]),
        ], constants);
        OnnxModel folded = model.Clone();
        Assert.Equal(2, BatchNormFolding.Fold(folded));
        float[] x = Oracle.Uniform(6, 2 * 100, -1, 1);
        Oracle.AssertClose(Oracle.Run(model, x, [2, 4, 5, 5])["y"].Data, Oracle.Run(folded, x, [2, 4, 5, 5])["y"].Data, 1e-5f);
    }

    [Fact]
    public void A_convolution_that_others_read_too_is_left_alone()
    {
        OnnxModel model = Graphs.Of(["N", 1, 2, 2], ["N", 1, 2, 2],
        [
            new("Conv", "c", ["x", "w"], ["a"]), new("BatchNormalization", "n", ["a", "s", "s", "s", "s"], ["d"]),
                new("Add", "add", ["a", "d"], ["y"]),
        ], [Graphs.Random("w", 1, 1, 1, 1, 1), TensorData.Create<float>("s", [1], [1f])]);
        Assert.Equal(0, BatchNormFolding.Fold(model));
        Assert.Equal(3, model.Nodes.Count);
    }
}
