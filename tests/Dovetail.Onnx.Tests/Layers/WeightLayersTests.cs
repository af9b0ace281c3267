using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Layers;

public sealed class WeightLayersTests
{
    [Fact]
    public void The_layers_of_fashion_cnn()
    {
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(ZooModels.Create("fashion-cnn", 1));
        Assert.Equal(
            ["stem 64 196 9", "down1 64 49 576", "down2 128 16 576", "block1.conv1 128 16 1152", "block1.conv2 128 16 1152",
                "head 10 1 128"],
            layers.Select(l => $"{l.Name} {l.Workload.M} {l.Workload.N} {l.Workload.K}"));
        Assert.InRange(layers.Sum(l => l.Workload.DenseMacs), 7_500_000, 8_000_000);
    }

    [Fact]
    public void Weights_written_in_matrix_order_read_back()
    {
        OnnxModel model = Graphs.Of(["N", 6], ["N", 3],
        [
            new("MatMul", "", ["x", "w1"], ["a"]), new NodeProto("Gemm", "", ["a", "w2"], ["b"]).With("transB", 1),
                new("Gemm", "", ["b", "w3"], ["y"]),
        ], [Graphs.Random("w1", 1, 6, 4), Graphs.Random("w2", 2, 5, 4), Graphs.Random("w3", 3, 5, 3)]);
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        Assert.Equal(["4×6", "5×4", "3×5"], layers.Select(l => l.Shape.ToString()));
        Assert.Equal(3, layers.Select(l => l.Name).Distinct().Count());
        float[] x = Oracle.Uniform(4, 6, -1, 1);
        // What ONNX Runtime computes is what the matrices in matrix order compute.
        float[] expected = layers.Aggregate(x, (v, layer) => Multiply(layer.GetWeights(), v, layer.Shape));
        Oracle.AssertClose(expected, Oracle.Run(model, x, [1, 6])["y"].Data, 1e-5f);
        foreach (WeightLayer layer in layers)
        {
            float[] weights = Oracle.Uniform(9, layer.Shape.Count, -1, 1);
            layer.SetWeights(weights);
            Assert.Equal(weights, layer.GetWeights());
        }
    }

    [Fact]
    public void Convolution_weights_go_to_matrix_order_and_back()
    {
        OnnxModel model = ZooModels.Create("fashion-cnn", 1);
        float[] before = model.FindInitializer("down1.weight")!.ToFloats();
        WeightLayer layer = WeightLayers.Find(model)[1];
        float[] matrix = layer.GetWeights();
        // Matrix order is taps first, channels innermost: entry (m=2, tap=4, c=5) is OIHW (2, 5, 1, 1).
        Assert.Equal(before[((2 * 64) + 5) * 9 + 4], matrix[2 * 576 + 4 * 64 + 5]);
        layer.SetWeights(matrix);
        Assert.Equal(before, model.FindInitializer("down1.weight")!.ToFloats());
    }

    [Fact]
    public void A_pattern_that_fits_no_layer_is_one_message_with_every_layer()
    {
        OnnxModel model = ZooModels.Create("fashion-cnn", 1);
        Assert.Equal(
            ["down1", "down2", "block1.conv1", "block1.conv2", "head"], WeightLayers.FindFitting(model, ComplementaryPattern.Parse("4:64"))
            .Select(l => l.Name));
        Assert.Equal(
            ["stem", "down1", "down2", "block1.conv1", "block1.conv2"],
            WeightLayers.FindFitting(model, ComplementaryPattern.Parse("4:64/out")).Select(l => l.Name));
        string message = Assert.Throws<PatternException>(
            () => WeightLayers.FindFitting(model, ComplementaryPattern.Parse("1:256"))).Message;
        Assert.Contains("stem: 1 channel is fewer than the group, 256", message);
        Assert.Contains("block1.conv2: 128 channels are fewer than the group, 256", message);
        Assert.Contains("head: 128 channels", message);
        Assert.DoesNotContain('\n', message);
    }

    private static float[] Multiply(float[] weights, float[] x, WeightShape shape) =>
        [.. Enumerable.Range(0, shape.Outputs)
            .Select(m => Enumerable.Range(0, shape.Inputs).Sum(k => weights[m * shape.Inputs + k] * x[k]))];
}
