using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>
/// Residual networks (He et al., 2016): "image" [N, 3, size, size] to "logits". A shortcut that changes size or channels
/// is a 1×1 convolution with batch norm.
/// </summary>
internal static class ResidualNetworks
{
    /// <summary>For CIFAR: a 3×3 stem, three stages of three basic blocks with 16, 32 and 64 channels, 10 classes.</summary>
    public static OnnxModel ResNet20(int seed, int size)
    {
        var graph = new GraphBuilder("resnet20", seed);
        string x = graph.Input("image", "N", 3, size, size);
        x = Norm(graph, "stem", graph.Conv("stem", x, 3, 16, kernel: 3, stride: 1), 16, relu: true);
        int channels = 16;
        for (int stage = 0; stage < 3; stage++)
            for (int block = 0; block < 3; block++)
                x = BasicBlock(graph, $"stage{stage + 1}.block{block + 1}", x, ref channels, 16 << stage, stage > 0 && block == 0 ? 2 : 1);
        return Head(graph, x, channels, 10);
    }

    public static OnnxModel ResNet18(int seed, int size)
    {
        (GraphBuilder graph, string x) = Stem("resnet18", seed, size);
        int channels = 64;
        for (int stage = 0; stage < 4; stage++)
            for (int block = 0; block < 2; block++)
                x = BasicBlock(graph, $"stage{stage + 1}.block{block + 1}", x, ref channels, 64 << stage, stage > 0 && block == 0 ? 2 : 1);
        return Head(graph, x, channels, 1000);
    }

    public static OnnxModel ResNet50(int seed, int size)
    {
        (GraphBuilder graph, string x) = Stem("resnet50", seed, size);
        int channels = 64;
        int[] blocks = [3, 4, 6, 3];
        for (int stage = 0; stage < 4; stage++)
            for (int block = 0; block < blocks[stage]; block++)
                x = Bottleneck(graph, $"stage{stage + 1}.block{block + 1}", x, ref channels, 64 << stage, stage > 0 && block == 0 ? 2 : 1);
        return Head(graph, x, channels, 1000);
    }

    private static (GraphBuilder Graph, string Tensor) Stem(string name, int seed, int size)
    {
        var graph = new GraphBuilder(name, seed);
        string x = graph.Input("image", "N", 3, size, size);
        x = Norm(graph, "stem", graph.Conv("stem", x, 3, 64, kernel: 7, stride: 2), 64, relu: true);
        return (graph, graph.Node("MaxPool", "stem.pool", [x],
            AttributeProto.Of("kernel_shape", [3, 3]), AttributeProto.Of("strides", [2, 2]), AttributeProto.Of("pads", [1, 1, 1, 1])));
    }

    private static OnnxModel Head(GraphBuilder graph, string x, int channels, int classes)
    {
        x = graph.Flatten("flatten", graph.GlobalAveragePool("pool", x));
        return graph.Build(graph.Gemm("head", x, channels, classes), "logits", "N", classes);
    }

    private static string BasicBlock(GraphBuilder graph, string name, string x, ref int channels, int width, int stride)
    {
        string y = Norm(graph, $"{name}.conv1", graph.Conv($"{name}.conv1", x, channels, width, kernel: 3, stride), width, relu: true);
        y = Norm(graph, $"{name}.conv2", graph.Conv($"{name}.conv2", y, width, width, kernel: 3, stride: 1), width, relu: false);
        return Join(graph, name, x, y, ref channels, width, stride);
    }

    private static string Bottleneck(GraphBuilder graph, string name, string x, ref int channels, int width, int stride)
    {
        string y = Norm(graph, $"{name}.conv1", graph.Conv($"{name}.conv1", x, channels, width, kernel: 1, stride: 1), width, relu: true);
        y = Norm(graph, $"{name}.conv2", graph.Conv($"{name}.conv2", y, width, width, kernel: 3, stride), width, relu: true);
        y = Norm(graph, $"{name}.conv3", graph.Conv($"{name}.conv3", y, width, 4 * width, kernel: 1, stride: 1), 4 * width, relu: false);
        return Join(graph, name, x, y, ref channels, 4 * width, stride);
    }

    private static string Join(GraphBuilder graph, string name, string x, string y, ref int channels, int outputs, int stride)
    {
        if (stride != 1 || channels != outputs)
            x = Norm(graph, $"{name}.shortcut", graph.Conv($"{name}.shortcut", x, channels, outputs, kernel: 1, stride), outputs,
                relu: false);
        channels = outputs;
        return graph.Relu($"{name}.relu", graph.Add($"{name}.add", y, x));
    }

    private static string Norm(GraphBuilder graph, string name, string x, int channels, bool relu)
    {
        x = graph.BatchNorm($"{name}.norm", x, channels);
        return relu ? graph.Relu($"{name}.relu", x) : x;
    }
}
