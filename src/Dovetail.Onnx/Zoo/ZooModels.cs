using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>
/// Small networks as ONNX graphs with random weights. All take "image" float [N, 1, 28, 28] with pixels
/// scaled to 0 … 1 (no further normalisation) and give "logits" [N, 10].
/// </summary>
public static class ZooModels
{
    /// <summary>What a model reference starts with to mean the zoo: "zoo:fashion-cnn".</summary>
    public const string Prefix = "zoo:";

    public const string InputName = "image";

    public const string OutputName = "logits";

    private const int Classes = 10;

    /// <summary>The networks that <see cref="Create"/> knows, the default first.</summary>
    public static IReadOnlyList<ZooModel> Names { get; } =
    [
        new("fashion-cnn", "five convolutions of 64 to 128 channels with batch norm and a residual connection, linear head; 407,360 weights, 7.8 M multiply-accumulates an image"),
        new("mlp", "784-512-512-10 fully connected, ReLU; 670,000 weights"),
    ];

    /// <summary>Builds a network with random weights; equal seeds give equal weights.</summary>
    /// <param name="name">A name of <see cref="Names"/>, with or without "zoo:".</param>
    /// <exception cref="OnnxException">The zoo has no such network.</exception>
    public static OnnxModel Create(string name, int seed)
    {
        ArgumentNullException.ThrowIfNull(name);
        string key = name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
        return key switch
        {
            "fashion-cnn" => FashionCnn(seed),
            "mlp" => Mlp(seed),
            _ => throw new OnnxException($"The zoo has no network '{key}', expected one of: {string.Join(", ", Names.Select(n => n.Name))}."),
        };
    }

    // 28² → stem 14² → down1 7² → down2 4² → a residual block at 128 channels, where most weights are.
    private static OnnxModel FashionCnn(int seed)
    {
        var graph = new GraphBuilder("fashion-cnn", seed);
        string x = graph.Input(InputName, "N", 1, 28, 28);
        x = ConvNormRelu(graph, "stem", x, 1, 64, stride: 2);
        x = ConvNormRelu(graph, "down1", x, 64, 64, stride: 2);
        x = ConvNormRelu(graph, "down2", x, 64, 128, stride: 2);
        string y = ConvNormRelu(graph, "block1.conv1", x, 128, 128, stride: 1);
        y = graph.Conv("block1.conv2", y, 128, 128, kernel: 3, stride: 1);
        y = graph.BatchNorm("block1.conv2.norm", y, 128);
        x = graph.Relu("block1.relu", graph.Add("block1.add", y, x));
        x = graph.Flatten("flatten", graph.GlobalAveragePool("pool", x));
        return graph.Build(graph.Gemm("head", x, 128, Classes), OutputName, "N", Classes);
    }

    private static OnnxModel Mlp(int seed)
    {
        var graph = new GraphBuilder("mlp", seed);
        string x = graph.Flatten("flatten", graph.Input(InputName, "N", 1, 28, 28));
        x = graph.Relu("fc1.relu", graph.Gemm("fc1", x, 28 * 28, 512));
        x = graph.Relu("fc2.relu", graph.Gemm("fc2", x, 512, 512));
        return graph.Build(graph.Gemm("head", x, 512, Classes), OutputName, "N", Classes);
    }

    private static string ConvNormRelu(GraphBuilder graph, string name, string x, int inputs, int outputs, int stride)
    {
        x = graph.Conv(name, x, inputs, outputs, kernel: 3, stride);
        return graph.Relu($"{name}.relu", graph.BatchNorm($"{name}.norm", x, outputs));
    }
}
