using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>Networks for Fashion-MNIST: "image" [N, 1, 28, 28] with pixels scaled to 0 … 1, "logits" [N, 10].</summary>
internal static class SmallNetworks
{
    private const int Classes = 10;

    // 28² → stem 14² → down1 7² → down2 4² → a residual block at 128 channels, where most weights are.
    public static OnnxModel FashionCnn(int seed)
    {
        var graph = new GraphBuilder("fashion-cnn", seed);
        string x = graph.Input("image", "N", 1, 28, 28);
        x = ConvNormRelu(graph, "stem", x, 1, 64, stride: 2);
        x = ConvNormRelu(graph, "down1", x, 64, 64, stride: 2);
        x = ConvNormRelu(graph, "down2", x, 64, 128, stride: 2);
        string y = ConvNormRelu(graph, "block1.conv1", x, 128, 128, stride: 1);
        y = graph.Conv("block1.conv2", y, 128, 128, kernel: 3, stride: 1);
        y = graph.BatchNorm("block1.conv2.norm", y, 128);
        x = graph.Relu("block1.relu", graph.Add("block1.add", y, x));
        x = graph.Flatten("flatten", graph.GlobalAveragePool("pool", x));
        return graph.Build(graph.Gemm("head", x, 128, Classes), "logits", "N", Classes);
    }

    public static OnnxModel Mlp(int seed)
    {
        var graph = new GraphBuilder("mlp", seed);
        string x = graph.Flatten("flatten", graph.Input("image", "N", 1, 28, 28));
        x = graph.Relu("fc1.relu", graph.Gemm("fc1", x, 28 * 28, 512));
        x = graph.Relu("fc2.relu", graph.Gemm("fc2", x, 512, 512));
        return graph.Build(graph.Gemm("head", x, 512, Classes), "logits", "N", Classes);
    }

    private static string ConvNormRelu(GraphBuilder graph, string name, string x, int inputs, int outputs, int stride)
    {
        x = graph.Conv(name, x, inputs, outputs, kernel: 3, stride);
        return graph.Relu($"{name}.relu", graph.BatchNorm($"{name}.norm", x, outputs));
    }
}
