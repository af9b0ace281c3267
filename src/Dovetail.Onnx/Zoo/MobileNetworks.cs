using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>MobileNetV2 (Sandler et al., 2018): "image" [N, 3, size, size] to "logits" [N, 1000].</summary>
internal static class MobileNetworks
{
    // Expansion, outputs, repeats, stride of the first.
    private static readonly (int Expansion, int Outputs, int Repeats, int Stride)[] Stages =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    public static OnnxModel MobileNetV2(int seed, int size)
    {
        var graph = new GraphBuilder("mobilenet-v2", seed);
        graph.Constant("zero", 0f);
        graph.Constant("six", 6f);
        string x = graph.Input("image", "N", 3, size, size);
        x = ConvNormRelu6(graph, "stem", x, 3, 32, kernel: 3, stride: 2);
        int channels = 32;
        for (int stage = 0; stage < Stages.Length; stage++)
            for (int block = 0; block < Stages[stage].Repeats; block++)
                x = InvertedResidual(
                    graph, $"stage{stage + 1}.block{block + 1}", x, ref channels, Stages[stage].Expansion, Stages[stage].Outputs,
                    block == 0 ? Stages[stage].Stride : 1);
        x = ConvNormRelu6(graph, "last", x, channels, 1280, kernel: 1, stride: 1);
        x = graph.Flatten("flatten", graph.GlobalAveragePool("pool", x));
        return graph.Build(graph.Gemm("head", x, 1280, 1000), "logits", "N", 1000);
    }

    private static string InvertedResidual(
        GraphBuilder graph, string name, string x, ref int channels, int expansion, int outputs, int stride)
    {
        int width = channels * expansion;
        string y = expansion == 1 ? x : ConvNormRelu6(graph, $"{name}.expand", x, channels, width, kernel: 1, stride: 1);
        y = ConvNormRelu6(graph, $"{name}.depthwise", y, width, width, kernel: 3, stride, groups: width);
        y = graph.BatchNorm($"{name}.project.norm", graph.Conv($"{name}.project", y, width, outputs, kernel: 1, stride: 1), outputs);
        bool joins = stride == 1 && channels == outputs;
        channels = outputs;
        return joins ? graph.Add($"{name}.add", x, y) : y;
    }

    private static string ConvNormRelu6(
        GraphBuilder graph, string name, string x, int inputs, int outputs, int kernel, int stride, int groups = 1)
    {
        x = graph.BatchNorm($"{name}.norm", graph.Conv(name, x, inputs, outputs, kernel, stride, groups), outputs);
        return graph.Node("Clip", $"{name}.relu6", [x, "zero", "six"]);
    }
}
