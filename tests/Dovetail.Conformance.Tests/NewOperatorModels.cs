using Dovetail.Onnx.Model;

namespace Dovetail.Conformance.Tests;

/// <summary>A model of one node for each operator of ONNX that operator sets 18 to 24 brought, or gave new inputs.</summary>
internal static class NewOperatorModels
{
    private static readonly Dictionary<string, Func<OnnxModel>> s_models = new()
    {
        ["AffineGrid 20"] = () => Of(20, Node("AffineGrid", "theta", "size"), Float("theta", 1, 2, 3), Longs("size", 1, 1, 4, 4)),
        ["Attention 23"] = () => Of(
            23, Node("Attention", "q", "k", "v"), Float("q", 1, 2, 3, 4), Float("k", 1, 2, 3, 4), Float("v", 1, 2, 3, 4)),
        ["BitwiseAnd 18"] = () => Of(18, Node("BitwiseAnd", "a", "b"), Ints("a"), Ints("b")),
        ["BitwiseNot 18"] = () => Of(18, Node("BitwiseNot", "a"), Ints("a")),
        ["BitwiseOr 18"] = () => Of(18, Node("BitwiseOr", "a", "b"), Ints("a"), Ints("b")),
        ["BitwiseXor 18"] = () => Of(18, Node("BitwiseXor", "a", "b"), Ints("a"), Ints("b")),
        ["CenterCropPad 18"] = () => Of(18, Node("CenterCropPad", "x", "size"), Float("x", 10, 7), Longs("size", 4, 9)),
        ["Col2Im 18"] = () => Of(
            18, Node("Col2Im", "x", "image", "block"), Float("x", 1, 5, 5), Longs("image", 5, 5), Longs("block", 1, 5)),
        ["DeformConv 22"] = () => Of(
            22, Node("DeformConv", "x", "w", "offset").With("kernel_shape", [2L, 2]), Float("x", 1, 1, 3, 3), Float("w", 1, 1, 2, 2),
            Float("offset", 1, 8, 2, 2)),
        ["DFT 20"] = () => Of(20, Node("DFT", "x", "", "axis"), Float("x", 1, 10, 1), TensorData.Scalar("axis", 1L)),
        ["Gelu 20"] = () => Of(20, Node("Gelu", "x").With("approximate", "tanh"), Float("x", 3, 4)),
        ["GridSample 22"] = () => Of(22, Node("GridSample", "x", "grid"), Float("x", 1, 1, 4, 4), Float("grid", 1, 6, 6, 2)),
        ["GroupNormalization 21"] = () => Of(
            21, Node("GroupNormalization", "x", "scale", "bias").With("num_groups", 2), Float("x", 3, 4, 2, 2), Float("scale", 4),
            Float("bias", 4)),
        ["IsInf 20"] = () => Of(20, Node("IsInf", "x"), Float("x", 3, 4)),
        ["Mish 22"] = () => Of(22, Node("Mish", "x"), Float("x", 3, 4)),
        ["Pad 21"] = () => Of(
            21, Node("Pad", "x", "pads", "", "axes").With("mode", "wrap"), Float("x", 3, 4), Longs("pads", 1, 2), Longs("axes", 1)),
        ["ReduceMax 20"] = () => Of(20, Node("ReduceMax", "x", "axes"), Float("x", 3, 4), Longs("axes", 0)),
        ["Resize 19"] = () => Of(
            19, Node("Resize", "x", "", "", "sizes").With("axes", [2L, 3]).With("keep_aspect_ratio_policy", "not_larger"),
            Float("x", 1, 1, 4, 4), Longs("sizes", 7, 9)),
        ["RMSNormalization 23"] = () => Of(23, Node("RMSNormalization", "x", "scale"), Float("x", 2, 3, 4), Float("scale", 4)),
        ["RotaryEmbedding 23"] = () => Of(
            23, Node("RotaryEmbedding", "x", "cos", "sin"), Float("x", 1, 2, 3, 4), Float("cos", 1, 3, 2), Float("sin", 1, 3, 2)),
        ["Split 18"] = () => Of(18, new NodeProto("Split", "new", ["x"], ["y", "z", "w"]).With("num_outputs", 3), Float("x", 7, 4)),
        ["Swish 24"] = () => Of(24, Node("Swish", "x"), Float("x", 3, 4)),
        ["TensorScatter 24"] = () => Of(
            24, Node("TensorScatter", "x", "update", "at"), Float("x", 1, 2, 4, 5), Float("update", 1, 2, 1, 5), Longs("at", 1)),
    };

    public static IReadOnlyCollection<string> Names => s_models.Keys;

    public static OnnxModel Create(string name) => s_models[name]();

    private static NodeProto Node(string op, params string[] inputs) => new(op, "new", inputs, ["y"]);

    private static ValueInfoProto Float(string name, params long[] shape) =>
        ValueInfoProto.Tensor(name, OnnxType.Float, [.. shape.Select(size => (Dim)size)]);

    private static TensorProto Longs(string name, params long[] values) => TensorData.Create<long>(name, [values.Length], values);

    private static TensorProto Ints(string name) => TensorData.Create<int>(name, [2, 3], [1, 2, 3, 4, 5, 6]);

    private static OnnxModel Of(int opset, NodeProto node, params object[] operands)
    {
        var graph = new GraphProto { Name = "new" };
        graph.Inputs.AddRange(operands.OfType<ValueInfoProto>());
        graph.Initializers.AddRange(operands.OfType<TensorProto>());
        graph.Nodes.Add(node);
        graph.Outputs.Add(new ValueInfoProto
        {
            Name = "y",
            Type = new TypeProto { Tensor = new TensorTypeProto { ElementType = OutputType(node) } },
        });
        return new OnnxModel(
            new ModelProto { IrVersion = 10, Graph = graph, OpsetImports = { new OperatorSetIdProto { Version = opset } } });
    }

    private static OnnxType OutputType(NodeProto node) => node.OpType switch
    {
        "IsInf" => OnnxType.Bool,
        "BitwiseAnd" or "BitwiseNot" or "BitwiseOr" or "BitwiseXor" => OnnxType.Int32,
        _ => OnnxType.Float,
    };
}
