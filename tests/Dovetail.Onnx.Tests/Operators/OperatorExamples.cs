using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Tests.Operators;

/// <summary>
/// For each operator that NHWC regions or permutation know: a network with it between two layers with weights.
/// A new row of the table that has one of these capabilities and is neither elementwise nor broadcast needs a line here.
/// </summary>
internal static class OperatorExamples
{
    private const int Channels = 8;

    // From "a" to "b"; what follows is a convolution on so many channels, or a Gemm.
    private sealed record Part(
        NodeProto[] Nodes, TensorProto[] Constants, int Outputs = Channels, bool EndsFlat = false, bool OnTokens = false, long Opset = 0);

    private static readonly Dictionary<string, Part> Parts = new()
    {
        ["Cast"] = new([N("Cast", "a", "b").With("to", 1)], []),
        ["CastLike"] = new([N("CastLike", "a", "b", "one")], [TensorData.Scalar("one", 1f)]),
        ["IsInf"] = new([N("IsInf", "a", "p"), N("Cast", "p", "b").With("to", 1)], []),
        ["IsNaN"] = new([N("IsNaN", "a", "p"), N("Cast", "p", "b").With("to", 1)], []),
        ["Not"] = new([N("Round", "a", "r"), N("Cast", "r", "p").With("to", 9), N("Not", "p", "q"), N("Cast", "q", "b").With("to", 1)], []),
        ["Clip"] = new([N("Clip", "a", "b", "low", "high")], [TensorData.Scalar("low", -0.2f), TensorData.Scalar("high", 0.3f)]),
        ["Mod"] = new([N("Mod", "a", "b", "k").With("fmod", 1)], [PerChannel("k")]),
        ["QuantizeLinear"] = Quantized(),
        ["DequantizeLinear"] = Quantized(),
        ["Concat"] = new([N("Concat", "a", "b", "a").With("axis", 1)], [], Outputs: 2 * Channels),
        ["Split"] = new(
            [new NodeProto("Split", "split", ["a"], ["p", "q"]).With("axis", 1), N("Sub", "q", "b", "p")], [], Outputs: Channels / 2),
        ["Gather"] = new([N("Gather", "a", "b", "order").With("axis", 1)], [Graphs.Ints("order", 3, 0, 7, 1, 2, 6, 5, 4)]),
        ["Pad"] = new([N("Pad", "a", "b", "pads")], [Graphs.Ints("pads", 0, 1, 2, 0, 0, 0, 1, 3)], Outputs: Channels + 1),
        ["Pad before 11"] = new([N("Pad", "a", "b").With("pads", [0L, 1, 2, 0, 0, 0, 1, 3])], [], Outputs: Channels + 1, Opset: 10),
        ["Resize"] = new([N("Resize", "a", "b", "", "scales")], [TensorData.Create<float>("scales", [4], [1, 1, 2, 3])]),
        ["Upsample"] = new([N("Upsample", "a", "b", "scales")], [TensorData.Create<float>("scales", [4], [1, 1, 2, 3])], Opset: 9),
        ["Upsample before 9"] = new([N("Upsample", "a", "b").With(new AttributeProto
        {
            Name = "scales",
            Type = AttributeType.Floats,
            Floats = { 1, 1, 2, 3 },
        })], [], Opset: 8),
        ["AveragePool"] = new([N("AveragePool", "a", "b").With("kernel_shape", [3L, 2]).With("pads", [1L, 0, 1, 1])], []),
        ["LpPool"] = new([N("LpPool", "a", "b").With("kernel_shape", [2L, 2])], []),
        ["MaxPool"] = new([N("MaxPool", "a", "b").With("kernel_shape", [3L, 2]).With("strides", [2L, 1])], []),
        ["Conv"] = new([N("Conv", "a", "b", "d").With("group", Channels)], [Graphs.Random("d", 7, Channels, 1, 3, 2)]),
        ["GlobalAveragePool"] = Flattened(N("GlobalAveragePool", "a", "p")),
        ["GlobalLpPool"] = Flattened(N("GlobalLpPool", "a", "p")),
        ["GlobalMaxPool"] = Flattened(N("GlobalMaxPool", "a", "p")),
        ["Flatten"] = Flattened(N("GlobalMaxPool", "a", "p")),
        ["Reshape"] = new([N("GlobalMaxPool", "a", "p"), N("Reshape", "p", "b", "shape")], [Graphs.Ints("shape", 0, -1)], EndsFlat: true),
        ["Squeeze"] = new([N("GlobalMaxPool", "a", "p"), N("Squeeze", "p", "b", "axes")], [Graphs.Ints("axes", 2, 3)], EndsFlat: true),
        ["Unsqueeze"] = new(
            [N("GlobalMaxPool", "a", "p"), N("Squeeze", "p", "q", "axes"), N("Unsqueeze", "q", "b", "axes")], [Graphs.Ints("axes", 2, 3)]),
        ["ReduceSum"] = new([N("ReduceSum", "a", "b", "axes")], [Graphs.Ints("axes", 2, -1)]),
        ["BatchNormalization"] = new(
            [N("BatchNormalization", "a", "b", "s", "t", "m", "v")], [Row("s", 1), Row("t", 2), Row("m", 3), Row("v", 4)]),
        ["InstanceNormalization"] = new([N("InstanceNormalization", "a", "b", "s", "t")], [Row("s", 1), Row("t", 2)]),
        ["LayerNormalization"] = new([N("LayerNormalization", "a", "b", "s", "t")], [Row("s", 1), Row("t", 2)], OnTokens: true),
        ["RMSNormalization"] = new([N("RMSNormalization", "a", "b", "s")], [Row("s", 1)], OnTokens: true),
        ["Gemm"] = new(
            [N("GlobalMaxPool", "a", "p"), N("Flatten", "p", "q"), N("Gemm", "q", "b", "g", "s")],
            [Graphs.Random("g", 7, Channels, Channels), Row("s", 1)], EndsFlat: true),
        ["MatMul"] = new([N("MatMul", "a", "b", "g")], [Graphs.Random("g", 7, Channels, Channels)], OnTokens: true),
        ["Softmax"] = new([N("Softmax", "a", "b").With("axis", 1)], []),
        ["LogSoftmax"] = new([N("LogSoftmax", "a", "b").With("axis", 1)], []),
    };

    /// <summary>Forms of older operator sets, beside the operators' names.</summary>
    public static IReadOnlyList<string> Older { get; } = [.. Parts.Where(pair => pair.Value.Opset > 0).Select(pair => pair.Key)];

    /// <summary>The layers are "first" and "last".</summary>
    public static (OnnxModel Model, int[] Input) Network(string name)
    {
        Part part = Parts.GetValueOrDefault(name) ?? Usual(OnnxOperators.Get(name));
        long opset = part.Opset > 0 ? part.Opset : Math.Max(17, OnnxOperators.Get(name).Versions[0]);
        // Logarithms, roots and quotients want positive numbers, arc functions such below 1.
        float bias = name is "Acosh" or "Log" or "Sqrt" or "Reciprocal" or "Pow" or "ReduceLogSum" ? 2 : 0;
        TensorProto[] constants = [.. part.Constants.Select(t => ProtoBuf.Serializer.DeepClone(t)), TensorData.Create<float>(
            "first.b", [Channels], [.. Enumerable.Repeat(bias, Channels)])];
        NodeProto[] nodes = [.. part.Nodes.Select(n => ProtoBuf.Serializer.DeepClone(n))];
        if (part.OnTokens)
        {
            return (Graphs.Of(["N", 5, 4], ["N", 5, 8],
                [new("MatMul", "first", ["x", "first.w"], ["c"]), new("Add", "bias", ["c", "first.b"], ["a"]), .. nodes, new(
                    "MatMul", "last", ["b", "last.w"], ["y"])],
                [Small("first.w", 4, Channels), Graphs.Random("last.w", 6, Channels, 8), .. constants], opset), [2, 5, 4]);
        }

        NodeProto last = part.EndsFlat ? new("Gemm", "last", ["b", "last.w"], ["y"]) : new("Conv", "last", ["b", "last.w"], ["y"]);
        long[] shape = part.EndsFlat ? [part.Outputs, 8] : [8, part.Outputs, 1, 1];
        OnnxModel model = Graphs.Of(["N", 4, 6, 5], [], [new("Conv", "first", ["x", "first.w", "first.b"], ["a"]), .. nodes, last],
            [Small("first.w", Channels, 4, 1, 1), Graphs.Random("last.w", 6, shape), .. constants], opset);
        model.Graph.Outputs[0] = Onnx.Shapes.ShapeInference.Infer(model)["y"].ToValueInfo("y");
        return (model, [2, 4, 6, 5]);
    }

    private static Part Usual(OnnxOperator row) =>
        row.Unary is not null ? new([N(row.Name, "a", "b")], [])
        : row.Channels == ChannelTie.Operands ? new([N(row.Name, "a", "b", "k")], [PerChannel("k")])
        : row.Channels == ChannelTie.Reduction ? new([N(row.Name, "a", "b").With("axes", [2L, -1])], [])
        : throw new InvalidOperationException($"The operator '{row}' has no example.");

    private static Part Quantized() => new([N("QuantizeLinear", "a", "q", "s", "z"), N("DequantizeLinear", "q", "b", "s", "z")],
        [TensorData.Scalar("s", 0.02f), TensorData.Scalar("z", (byte)120)]);

    private static Part Flattened(NodeProto pool) => new([pool, N("Flatten", "p", "b")], [], EndsFlat: true);

    private static TensorProto PerChannel(string name) =>
        TensorData.Create<float>(name, [Channels, 1, 1], Oracle.Uniform(5, Channels, 0.5f, 1.5f));

    private static TensorProto Row(string name, int seed) =>
        TensorData.Create<float>(name, [Channels], Oracle.Uniform(seed, Channels, 0.5f, 1.5f));

    // Sums of four products stay below 1.
    private static TensorProto Small(string name, params long[] dims) =>
        TensorData.Create<float>(name, dims, Oracle.Uniform(4, (int)dims.Aggregate(1L, (a, b) => a * b), -0.25f, 0.25f));

    private static NodeProto N(string op, string from, string to, params string[] others) => new(op, $"{op}.{to}", [from, .. others], [to]);
}
