using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Tests.Passes.Permute;

/// <summary>Small graphs, each for one way in which channels are tied, with what becomes of each layer at <see cref="MainPattern"/>.
/// </summary>
internal static class HandMadeGraphs
{
    public const string MainPattern = "2:4";

    public static IReadOnlyList<string> Names { get; } =
        ["depthwise", "excite", "concat", "grouped", "tokens", "constants", "shared", "window-flatten", "reshape", "mean", "broadcast",
            "tied-weights", "half"];

    public static (OnnxModel Model, int[] Input, string Outcomes) Create(string name) => name switch
    {
        // a → depthwise → b: one order for a's outputs, the depthwise rows and b's inputs
        "depthwise" => Image(
        [
            Conv("a", "x", "t1", "a.w", "a.b"), new("Clip", "clip", ["t1", "low", "high"], ["t2"]),
            Conv("d", "t2", "t3", "d.w", "d.b").With("group", 12), new("HardSwish", "act", ["t3"], ["t4"]), Conv("b", "t4", "y", "b.w"),
        ],
        [
            R("a.w", 12, 3, 1, 1), R("a.b", 12), R("d.w", 12, 1, 3, 3), R("d.b", 12), R("b.w", 8, 12, 1, 1),
            TensorData.Scalar("low", -0.5f), TensorData.Scalar("high", 0.7f),
        ], 3, "a:Unchanged d:Unchanged b:Folded"),

        // squeeze and excite: a mean over the image scales the channels
        "excite" => Image(
        [
            Conv("a", "x", "t1", "a.w"), new("GlobalAveragePool", "p", ["t1"], ["t2"]), Conv("s1", "t2", "t3", "s1.w", "s1.b"),
                new("Relu", "r", ["t3"], ["t4"]),
            Conv("s2", "t4", "t5", "s2.w"), new("Sigmoid", "g", ["t5"], ["t6"]), new("Mul", "m", ["t1", "t6"], ["t7"]),
            new NodeProto("MaxPool", "mp", ["t7"], ["t8"]).With("kernel_shape", (long[])[2, 2]), Conv("b", "t8", "y", "b.w"),
        ],
        [R("a.w", 12, 3, 1, 1), R("s1.w", 6, 12, 1, 1), R("s1.b", 6), R("s2.w", 12, 6, 1, 1), R("b.w", 8, 12, 1, 1)], 3,
        "a:Unchanged s1:Folded s2:Folded b:Folded"),

        // a concatenation keeps the order of its parts: its reader stores an order
        "concat" => Image(
        [
            Conv("a", "x", "t1", "a.w"), Conv("a2", "x", "t2", "a2.w"), new NodeProto("Concat", "c", ["t1", "t2"], ["t3"]).With("axis", 1L),
                Conv("b", "t3", "t4", "b.w"), Conv("c2", "t4", "y", "c2.w", "c2.b"),
        ],
        [R("a.w", 7, 8, 1, 1), R("a2.w", 9, 8, 1, 1), R("b.w", 8, 16, 3, 3), R("c2.w", 9, 8, 1, 1), R("c2.b", 9)], 8,
        "a:Stored a2:Stored b:Stored c2:Folded"),

        // channels of a convolution in groups change places only within their group
        "grouped" => Image(
            [Conv("a", "x", "t1", "a.w"), Conv("b", "t1", "t2", "b.w", "b.b").With("group", 2), Conv("c", "t2", "y", "c.w")],
            [R("a.w", 16, 3, 1, 1), R("b.w", 12, 8, 3, 3), R("b.b", 12), R("c.w", 8, 12, 1, 1)], 3, "a:Unchanged b:Stored c:Stored"),

        // tokens with layer norm, a feed-forward block and a residual connection
        "tokens" => (Graphs.Of(["N", 5, 6], ["N", 5, 7],
        [
            new("MatMul", "a", ["x", "a.w"], ["t1"]), new("Add", "a+", ["t1", "a.b"], ["t2"]),
                new NodeProto("LayerNormalization", "ln", ["t2", "ln.s", "ln.b"], ["t3"]).With("axis", -1L),
            new("MatMul", "f1", ["t3", "f1.w"], ["t4"]), new("Erf", "erf", ["t4"], ["t5"]), new("MatMul", "f2", ["t5", "f2.w"], ["t6"]),
                new("Add", "res", ["t2", "t6"], ["t7"]), new("MatMul", "b", ["t7", "b.w"], ["y"]),
        ],
        [R("a.w", 6, 8), R("a.b", 8), R("ln.s", 8), R("ln.b", 8), R("f1.w", 8, 16), R("f2.w", 16, 8), R("b.w", 8, 7)]), [2, 5, 6],
            "a:Stored f1:Folded f2:Folded b:Folded"),

        // constants of every broadcastable shape, also as Constant nodes
        "constants" => Image(
        [
            Constant("k", R("k.value", 1, 12, 1, 1)), Constant("a.w", R("a.w.value", 12, 3, 1, 1)), Conv("a", "x", "t1", "a.w"),
                new("Mul", "m", ["t1", "k"], ["t2"]), new("Add", "p", ["row", "t2"], ["t3"]), new("Sub", "s", ["t3", "one"], ["t4"]),
            new("BatchNormalization", "bn", ["t4", "s", "s2", "s3", "v"], ["t5"]), Conv("b", "t5", "y", "b.w"),
        ],
        [R("row", 12, 1, 1), R("one", 1), R("s", 12), R("s2", 12), R("s3", 12), TensorData.Create<float>(
            "v", [12], Oracle.Uniform(9, 12, 0.5f, 1.5f)), R("b.w", 8, 12, 3, 3)], 3, "a:Unchanged b:Folded"),

        // one bias for two layers: each gets its own
        "shared" => Image(
            [Conv("a", "x", "t1", "a.w", "bias"), Conv("b", "t1", "t2", "b.w", "bias"), Conv("c", "t2", "y", "c.w", "bias")],
            [R("a.w", 8, 3, 1, 1), R("b.w", 8, 8, 1, 1), R("c.w", 8, 8, 1, 1), R("bias", 8)], 3, "a:Unchanged b:Folded c:Folded"),

        // flattened windows: a channel is no feature
        "window-flatten" => (Graphs.Of(["N", 3, 4, 4], ["N", 5],
            [Conv("a", "x", "t1", "a.w"), new("Flatten", "f", ["t1"], ["t2"]), new NodeProto("Gemm", "g", ["t2", "g.w", "g.b"], ["t3"])
                .With("transB", 1L), new NodeProto("Gemm", "h", ["t3", "h.w", "h.b"], ["y"])],
            [R("a.w", 8, 3, 3, 3), R("g.w", 6, 8 * 2 * 2), R("g.b", 1, 6), R("h.w", 6, 5), R("h.b", 5)]), [3, 3, 4, 4],
                "a:Unchanged g:Stored h:Folded"),

        "reshape" => (Graphs.Of(["N", 3, 4, 4], ["N", 5],
            [Conv("a", "x", "t1", "a.w"), new("GlobalMaxPool", "p", ["t1"], ["t2"]), new("Reshape", "f", ["t2", "shape"], ["t3"]), new(
                "Gemm", "g", ["t3", "g.w"], ["y"])],
            [R("a.w", 8, 3, 3, 3), Graphs.Ints("shape", 0, -1), R("g.w", 8, 5)]), [3, 3, 4, 4], "a:Unchanged g:Folded"),

        "mean" => (Graphs.Of(["N", 3, 4, 4], ["N", 5],
            [Conv("a", "x", "t1", "a.w"), new NodeProto("ReduceMean", "p", ["t1"], ["t2"]).With("axes", (long[])[2, 3])
                .With("keepdims", 0L), new("Gemm", "g", ["t2", "g.w"], ["t3"]), new NodeProto("ReduceMean", "q", ["t3"], ["y"])
                .With("axes", (long[])[1])],
            [R("a.w", 8, 3, 3, 3), R("g.w", 8, 5)]) is var model ? WithOutput(model, ["N", 1]) : model, [3, 3, 4, 4],
                "a:Unchanged g:Folded"),

        // [H, W] on [N, C, H, W]: the features of a matrix become columns of an image and must stay
        "broadcast" => (Graphs.Of([6, 8], [1, 4, 6, 8],
            [new("MatMul", "a", ["x", "a.w"], ["t1"]), new("MatMul", "b", ["t1", "b.w"], ["t2"]), new(
                "Add", "add", ["image", "t2"], ["t3"]), Conv("c", "t3", "y", "c.w")],
            [R("a.w", 8, 8), R("b.w", 8, 8), R("image", 1, 4, 1, 1), R("c.w", 4, 4, 1, 1)]), [6, 8], "a:Stored b:Folded c:Unchanged"),

        // weights of two layers cannot follow two orders
        "tied-weights" => Image(
            [Conv("a", "x", "t1", "w"), new("Relu", "r", ["t1"], ["t2"]), Conv("b", "t2", "t3", "w"), Conv("c", "t3", "y", "c.w")],
            [R("w", 8, 8, 1, 1), R("c.w", 4, 8, 1, 1)], 8, "a:Unchanged b:Unchanged c:Stored"),

        // fp16 weights stay fp16
        "half" => Image(
            [new NodeProto("Cast", "in", ["x"], ["t0"]).With("to", 10L), Conv("a", "t0", "t1", "a.w"), Conv("b", "t1", "t2", "b.w"),
                new NodeProto("Cast", "out", ["t2"], ["y"]).With("to", 1L)],
            [H("a.w", 8, 3, 1, 1), H("b.w", 8, 8, 1, 1)], 3, "a:Unchanged b:Folded"),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    private static (OnnxModel, int[], string) Image(NodeProto[] nodes, TensorProto[] initializers, int channels, string outcomes)
    {
        OnnxModel model = Graphs.Of(["N", channels, 6, 6], ["N", "C", "H", "W"], nodes, initializers);
        return (model, [2, channels, 6, 6], outcomes);
    }

    private static OnnxModel WithOutput(OnnxModel model, Dim[] shape)
    {
        model.Graph.Outputs[0] = ValueInfoProto.Tensor("y", OnnxType.Float, shape);
        return model;
    }

    private static NodeProto Conv(string name, string x, string y, string weights, string? bias = null) =>
        new("Conv", name, bias is null ? [x, weights] : [x, weights, bias], [y]);

    private static NodeProto Constant(string output, TensorProto value)
    {
        var node = new NodeProto("Constant", output + ".node", [], [output]);
        node.Attributes.Add(new AttributeProto { Name = "value", Type = AttributeType.Tensor, T = value });
        return node;
    }

    private static TensorProto R(string name, params long[] dims) => Graphs.Random(name, name.Sum(c => c) + name.Length, dims);

    private static TensorProto H(string name, params long[] dims) =>
        TensorData.Create<Half>(name, dims, Array.ConvertAll(R(name, dims).ToFloats(), v => (Half)v));
}
