using Dovetail.Core.Operators;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Tests.Passes.Fuse;

/// <summary>Activations behind a packed layer are fused where they are one, and come back as operators of the model's operator
/// set.</summary>
public sealed class ActivationFusionTests
{
    private const double Root2 = 1.4142135623730951;

    private static readonly TensorProto[] Constants =
    [
        Graphs.Random("w", 1, 16, 32), Graphs.Random("bias", 2, 32), Scalar("zero", 0), Scalar("six", 6), Scalar("low", -0.25f),
            Scalar("three", 3),
        Scalar("one", 1), Scalar("half", 0.5f), Scalar("root2", (float)Root2), Scalar("inverse", (float)(1 / Root2)),
            Scalar("short_root2", 1.4142f),
        Scalar("cubic", 0.044715f), Scalar("root", (float)Math.Sqrt(2 / Math.PI)), Scalar("quick", 1.702f), Scalar("two", 2),
        TensorData.Create<float>("half_row", [1], [0.5f]), TensorData.Create<float>("half_deep", [1, 1, 1], [0.5f]),
    ];

    public static TheoryData<string> Cases => [.. Table.Keys];

    // From "a" (the layer's result, [N, 32]) to "y"; operators are those of the packed graph.
    private static readonly Dictionary<string, (long Opset, string Activation, string[] Operators, NodeProto[] Nodes)> Table = new()
    {
        ["relu"] = (17, "relu", [], [N("Relu", "y", "a")]),
        ["relu6"] = (17, "clip", [], [N("Clip", "y", "a", "zero", "six")]),
        ["clip from below"] = (17, "clip", [], [N("Clip", "y", "a", "low")]),
        ["clip from above"] = (17, "clip", [], [N("Clip", "y", "a", "", "six")]),
        ["clip that is a relu"] = (17, "relu", [], [N("Clip", "y", "a", "zero")]),
        ["clip with attributes"] = (10, "clip", [], [N("Clip", "y", "a").With("min", -0.25f).With("max", 0.5f)]),
        ["clip out of order"] = (17, "none", ["Clip"], [N("Clip", "y", "a", "six", "low")]),
        ["silu"] = (17, "silu", [], [N("Sigmoid", "s", "a"), N("Mul", "y", "a", "s")]),
        ["silu by division"] = (
            17, "silu", [], [N("Neg", "m", "a"), N("Exp", "e", "m"), N("Add", "d", "e", "one"), N("Div", "y", "a", "d")]),
        ["sigmoid with another factor"] = (17, "none", ["Sigmoid", "Mul"], [N("Sigmoid", "s", "a"), N("Mul", "y", "s", "bias")]),
        ["quick gelu"] = (
            17, "none", ["Mul", "Sigmoid", "Mul"], [N("Mul", "q", "a", "quick"), N("Sigmoid", "s", "q"), N("Mul", "y", "a", "s")]),
        ["gelu node"] = (20, "gelu", [], [N("Gelu", "y", "a")]),
        ["gelu node, tanh"] = (20, "gelu_tanh", [], [N("Gelu", "y", "a").With("approximate", "tanh")]),
        ["gelu of torch"] = (
            17, "gelu", [],
            [N("Div", "d", "a", "root2"), N("Erf", "e", "d"), N("Add", "f", "e", "one"), N("Mul", "g", "a", "f"),
            N("Mul", "y", "g", "half")]),
        ["gelu, halved first"] = (
            13, "gelu", [],
            [N("Mul", "h", "half_row", "a"), N("Mul", "d", "a", "inverse"), N("Erf", "e", "d"), N("Add", "f", "one", "e"),
            N("Mul", "y", "h", "f")]),
        ["gelu, halved within"] = (
            13, "gelu", [],
            [N("Div", "d", "a", "short_root2"), N("Erf", "e", "d"), N("Add", "f", "one", "e"), N("Div", "h", "f", "two"),
            N("Mul", "y", "a", "h")]),
        ["gelu tanh"] = (
            17, "gelu_tanh", [],
            [N("Pow", "p", "a", "three"), N("Mul", "c", "p", "cubic"), N("Add", "s", "a", "c"), N("Mul", "r", "s", "root"),
            N("Tanh", "t", "r"), N("Add", "u", "t", "one"), N("Mul", "h", "a", "half"), N("Mul", "y", "h", "u")]),
        ["gelu tanh by products"] = (
            17, "gelu_tanh", [],
            [N("Mul", "q", "a", "a"), N("Mul", "p", "q", "a"), N("Mul", "c", "p", "cubic"), N("Add", "s", "a", "c"),
            N("Mul", "r", "s", "root"), N("Tanh", "t", "r"), N("Add", "u", "t", "one"), N("Mul", "h", "a", "u"),
            N("Mul", "y", "h", "half")]),
        ["hard swish"] = (17, "none", ["HardSwish"], [N("HardSwish", "y", "a")]),
        ["two functions"] = (
            17, "silu", ["Sigmoid", "Mul"],
            [N("Sigmoid", "s", "a"), N("Mul", "b", "a", "s"), N("Sigmoid", "t", "b"), N("Mul", "y", "b", "t")]),
        ["read elsewhere"] = (
            17, "none", ["Sigmoid", "Mul", "Add"], [N("Sigmoid", "s", "a"), N("Mul", "b", "a", "s"), N("Add", "y", "b", "a")]),
        ["a part read elsewhere"] = (
            17, "none", ["Sigmoid", "Mul", "Add"], [N("Sigmoid", "s", "a"), N("Mul", "b", "a", "s"), N("Add", "y", "b", "s")]),
        ["after bias"] = (17, "silu", [], [N("Add", "b", "bias", "a"), N("Sigmoid", "s", "b"), N("Mul", "y", "b", "s")]),
    };

    [Theory, MemberData(nameof(Cases))]
    public void An_activation_is_fused_and_written_back(string name)
    {
        (long opset, string activation, string[] operators, NodeProto[] nodes) = Table[name];
        NodeProto[] all = [N("MatMul", "a", "x", "w"), .. nodes.Select(n => ProtoBuf.Serializer.DeepClone(n))];
        OnnxModel model = Graphs.Of(["N", 16], ["N", 32], all, [.. Constants.Select(c => ProtoBuf.Serializer.DeepClone(c))], opset);
        model.RemoveUnusedInitializers();
        Graphs.Project(model, ComplementaryPattern.Parse("1:16"));
        OnnxModel packed = PackingPass.Pack(model, ComplementaryPattern.Parse("1:16")).Model;
        Assert.Equal(["PackedGemm", .. operators], packed.Nodes.Select(n => n.OpType));
        Assert.Equal(activation, packed.Nodes[0].GetString("activation", "none"));
        float[] input = Oracle.Uniform(12, 40 * 16, -4, 4);
        OnnxModel unpacked = UnpackingPass.Unpack(packed);
        (float[] expected, int[] shape) = Oracle.Run(model, input, [40, 16])["y"];
        (float[] actual, int[] actualShape) = Oracle.Run(unpacked, input, [40, 16])["y"];
        Assert.Equal(shape, actualShape);
        Oracle.AssertClose(expected, actual, name.Contains("halved within", StringComparison.Ordinal) ? 4e-5f : 2e-6f);
        // Packing what was unpacked finds the same again.
        OnnxModel again = PackingPass.Pack(unpacked, ComplementaryPattern.Parse("1:16")).Model;
        Assert.Equal(packed.Nodes.Select(n => n.OpType), again.Nodes.Select(n => n.OpType));
        Assert.Equal(PackedActivation.Of(packed.Nodes[0]), PackedActivation.Of(again.Nodes[0]));
    }

    [Fact]
    public void A_constant_that_changes_the_rank_is_no_part_of_a_function()
    {
        NodeProto[] nodes = [N("MatMul", "a", "x", "w"), N("Div", "d", "a", "root2"), N("Erf", "e", "d"), N("Add", "f", "e", "one"),
            N("Mul", "g", "a", "f"), N("Mul", "y", "g", "half_deep")];
        OnnxModel model = Graphs.Of(["N", 16], [1, "N", 32], nodes, [.. Constants.Select(c => ProtoBuf.Serializer.DeepClone(c))]);
        model.RemoveUnusedInitializers();
        Graphs.Project(model, ComplementaryPattern.Parse("1:16"));
        OnnxModel packed = PackingPass.Pack(model, ComplementaryPattern.Parse("1:16")).Model;
        Assert.Equal(6, packed.Nodes.Count);
        Assert.Equal("float[1, N, 32]", ShapeInference.Infer(packed)["y"].ToString());
    }

    [Fact]
    public void Bounds_that_are_no_numbers_in_order_are_refused()
    {
        Assert.Contains("bounds are 2 and 1", Assert.Throws<OnnxException>(() => PackedActivation.Clip(2, 1)).Message);
        Assert.Throws<OnnxException>(() => PackedActivation.Clip(float.NaN, 1));
        NodeProto node = new NodeProto("PackedGemm", "gemm", [], [], OperatorSet.Domain).With("activation", "tanh");
        Assert.Contains(
            "is 'tanh', expected 'none', 'relu', 'clip'", Assert.Throws<OnnxException>(() => PackedActivation.Of(node)).Message);
    }

    private static NodeProto N(string op, string output, params string[] inputs) => new(op, "", inputs, [output]);

    private static TensorProto Scalar(string name, float value) => TensorData.Scalar(name, value);
}
