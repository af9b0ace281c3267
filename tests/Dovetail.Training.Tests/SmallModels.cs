using Dovetail.Data;
using Dovetail.Onnx.Model;

namespace Dovetail.Training.Tests;

/// <summary>Graphs of a few nodes and data that they learn in seconds.</summary>
internal static class SmallModels
{
    public static float[] Uniform(int seed, long count, float from = -1, float to = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, (int)count).Select(_ => from + (to - from) * random.NextSingle())];
    }

    /// <summary>A graph from "x" of a shape to "y" made of the nodes, with initializers by name.</summary>
    public static OnnxModel Model(Dim[] input, NodeProto[] nodes, params (string Name, long[] Dims, float[] Values)[] initializers)
    {
        var graph = new GraphProto { Name = "test" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, input));
        graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float));
        graph.Outputs[0].Type!.Tensor!.Shape = null;
        graph.Nodes.AddRange(nodes);
        foreach ((string name, long[] dims, float[] values) in initializers)
            graph.Initializers.Add(TensorData.Create<float>(name, dims, values));
        return new OnnxModel(new ModelProto { IrVersion = 8, Graph = graph, OpsetImports = { new OperatorSetIdProto { Version = 17 } } });
    }

    public static NodeProto Node(string op, string[] inputs, string output, params AttributeProto[] attributes)
    {
        var node = new NodeProto(op, output + ".node", inputs, [output]);
        node.Attributes.AddRange(attributes);
        return node;
    }

    public static AttributeProto Ints(string name, params long[] values) => AttributeProto.Of(name, values);

    /// <summary>[N, 1, 8, 8] → convolution 16 → batch norm → ReLU → convolution 32 → ReLU → mean → 4 classes.</summary>
    public static OnnxModel Classifier(int seed) => Model(
        ["N", 1, 8, 8],
        [
            Node("Conv", ["x", "a.w"], "a", Ints("pads", 1, 1, 1, 1)),
            Node("BatchNormalization", ["a", "n.scale", "n.shift", "n.mean", "n.var"], "n"),
            Node("Relu", ["n"], "r"),
            Node("Conv", ["r", "b.w", "b.b"], "b", Ints("pads", 1, 1, 1, 1), Ints("strides", 2, 2)),
            Node("Relu", ["b"], "s"),
            Node("GlobalAveragePool", ["s"], "p"),
            Node("Flatten", ["p"], "f"),
            Node("Gemm", ["f", "head.w", "head.b"], "y", AttributeProto.Of("transB", 1)),
        ],
        ("a.w", [16, 1, 3, 3], Uniform(seed, 144, -0.5f, 0.5f)),
        ("n.scale", [16], [.. Enumerable.Repeat(1f, 16)]), ("n.shift", [16], new float[16]),
        ("n.mean", [16], new float[16]), ("n.var", [16], [.. Enumerable.Repeat(1f, 16)]),
        ("b.w", [32, 16, 3, 3], Uniform(seed + 1, 4608, -0.15f, 0.15f)), ("b.b", [32], new float[32]),
        ("head.w", [4, 32], Uniform(seed + 2, 128, -0.3f, 0.3f)), ("head.b", [4], new float[4]));

    /// <summary>Four classes of 8×8 images: stripes of two directions and two widths, under noise.</summary>
    public static ImageDataset Stripes(int train = 640, int test = 200) => new(
        "stripes", new DatasetSource(DatasetSourceKind.Folder, "made up"), Set(train, 5), Set(test, 6), ["0", "1", "2", "3"], 8, 8, 1);

    private static ImageSet Set(int count, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[count * 64];
        var labels = new byte[count];
        for (int i = 0; i < count; i++)
        {
            labels[i] = (byte)(i % 4);
            int phase = random.Next(4), width = 1 + labels[i] / 2;
            for (int p = 0; p < 64; p++)
            {
                int along = (labels[i] % 2 == 0 ? p / 8 : p % 8) + phase;
                pixels[i * 64 + p] = (byte)((along / width % 2 == 0 ? 160 : 40) + random.Next(-40, 41));
            }
        }

        return new ImageSet(pixels, labels);
    }
}
