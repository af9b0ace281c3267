using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Onnx.Shapes;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Onnx.Tests.Operators;

/// <summary>Every row's types and shapes are those of ONNX Runtime, and so are its versions' parameters.</summary>
public sealed class OperatorShapeTests
{
    private static readonly long[] Image = [2, 4, 6, 5];

    private static readonly Dictionary<string, (long Opset, long[] Input, NodeProto[] Nodes, TensorProto[] Constants)> Cases = new()
    {
        ["And"] = (17, Image, [To("Cast", "x", "p", 9), N("And", "p p")], []),
        ["ArgMax"] = (17, Image, [N("ArgMax", "x").With("axis", -2)], []),
        ["ArgMin"] = (11, Image, [N("ArgMin", "x").With("keepdims", 0)], []),
        ["Clip before 11"] = (10, Image, [N("Clip", "x").With("max", 1f)], []),
        ["Concat"] = (11, Image, [N("Concat", "x x x").With("axis", -1)], []),
        ["Constant"] = (17, Image, [new NodeProto("Constant", "", [], ["c"]).With(new AttributeProto
        {
            Name = "value",
            T = Graphs.Random("", 1, 5),
            Type = AttributeType.Tensor,
        }), N("Add", "x c")], []),
        ["ConstantOfShape"] = (17, Image, [N("ConstantOfShape", "s")], [Ints("s", 3, 2)]),
        ["ConvInteger"] = (10, Image, [To("Cast", "x", "p", 2), N("ConvInteger", "p w")], [Bytes("w", 3, 4, 2, 2)]),
        ["ConvTranspose"] = (
            11, Image, [N("ConvTranspose", "x w").With("strides", [2L, 3]).With("pads", [1L, 0, 0, 1]).With("output_padding", [1L, 2])
            .With("group", 2)], [Graphs.Random("w", 1, 4, 3, 3, 2)]),
        ["ConvTranspose, dilations"] = (
            17, Image, [N("ConvTranspose", "x w").With("dilations", [2L, 1])], [Graphs.Random("w", 1, 4, 3, 3, 2)]),
        ["ConvTranspose, same"] = (
            17, Image, [N("ConvTranspose", "x w").With("strides", [2L, 2]).With("auto_pad", "SAME_UPPER")],
            [Graphs.Random("w", 1, 4, 3, 3, 3)]),
        ["ConvTranspose, valid"] = (
            17, Image, [N("ConvTranspose", "x w").With("strides", [2L, 2]).With("auto_pad", "VALID")], [Graphs.Random("w", 1, 4, 3, 3, 3)]),
        ["ConvTranspose, output shape"] = (
            17, Image, [N("ConvTranspose", "x w").With("strides", [2L, 2]).With("output_shape", [12L, 11])],
            [Graphs.Random("w", 1, 4, 3, 3, 3)]),
        ["CumSum"] = (14, Image, [N("CumSum", "x i")], [TensorData.Scalar("i", 1L)]),
        ["DepthToSpace"] = (13, Image, [N("DepthToSpace", "x").With("blocksize", 2)], []),
        ["Dropout before 12"] = (10, Image, [N("Dropout", "x", "y m").With("ratio", 0.25f)], []),
        ["Dropout"] = (13, Image, [N("Dropout", "x r", "y m")], [TensorData.Scalar("r", 0.25f)]),
        ["DynamicQuantizeLinear"] = (11, Image, [N("DynamicQuantizeLinear", "x", "y s z")], []),
        ["Equal"] = (13, Image, [N("Equal", "x c")], [Graphs.Random("c", 1, 3, 1, 4, 6, 1)]),
        ["Expand"] = (13, Image, [N("Expand", "x s")], [Ints("s", 3, 1, 4, 1, 5)]),
        ["GatherElements"] = (
            13, Image, [N("GatherElements", "x i").With("axis", 2)], [TensorData.Create<long>("i", [2, 3, 1, 4], new long[24])]),
        ["Greater"] = (13, Image, [N("Greater", "x x")], []),
        ["GreaterOrEqual"] = (16, Image, [N("GreaterOrEqual", "x x")], []),
        ["GroupNormalization"] = (21, Image, [N("GroupNormalization", "x c c").With("num_groups", 2)], [Graphs.Random("c", 1, 4)]),
        ["GRU"] = (14, [7, 2, 5], [N("GRU", "x w r", "y h").With("hidden_size", 3)],
            [Graphs.Random("w", 1, 1, 9, 5), Graphs.Random("r", 2, 1, 9, 3)]),
        ["Hardmax"] = (13, Image, [N("Hardmax", "x")], []),
        ["Less"] = (9, Image, [N("Less", "x x")], []),
        ["LessOrEqual"] = (16, Image, [N("LessOrEqual", "x x")], []),
        ["LRN"] = (13, Image, [N("LRN", "x").With("size", 3)], []),
        ["LpNormalization"] = (17, Image, [N("LpNormalization", "x")], []),
        ["LpPool, ceil"] = (18, Image, [N("LpPool", "x").With("kernel_shape", [2L, 2]).With("strides", [4L, 3]).With("ceil_mode", 1)], []),
        ["LSTM"] = (
            14, [7, 2, 5], [N("LSTM", "x w r", "y h c").With("hidden_size", 3).With("direction", "bidirectional")],
            [Graphs.Random("w", 1, 2, 12, 5), Graphs.Random("r", 2, 2, 12, 3)]),
        ["MatMulInteger"] = (10, [3, 4], [To("Cast", "x", "p", 2), N("MatMulInteger", "p w")], [Bytes("w", 4, 5)]),
        ["Max of one"] = (13, Image, [N("Max", "x")], []),
        ["MaxPool with indices"] = (12, Image, [N("MaxPool", "x", "y i").With("kernel_shape", [2L, 2])], []),
        ["MeanVarianceNormalization"] = (13, Image, [N("MeanVarianceNormalization", "x")], []),
        ["Or"] = (17, Image, [To("Cast", "x", "p", 9), N("Or", "p p")], []),
        ["Pad before 11"] = (10, Image, [N("Pad", "x").With("pads", [0L, 1, 2, 0, 1, 0, 0, 3])], []),
        ["Pad"] = (13, Image, [N("Pad", "x p")], [Ints("p", 0, 1, 2, 0, 1, 0, 0, 3)]),
        ["Pad of axes"] = (18, Image, [N("Pad", "x p  a")], [Ints("p", 1, 2), Ints("a", -1)]),
        ["QLinearConv"] = (
            10, Image, [To("Cast", "x", "p", 2), N("QLinearConv", "p s z w s z s z")],
            [Bytes("w", 3, 4, 2, 2), TensorData.Scalar("s", 0.1f), TensorData.Scalar("z", (byte)1)]),
        ["QLinearMatMul"] = (
            10, [3, 4], [To("Cast", "x", "p", 2), N("QLinearMatMul", "p s z w s z s z")],
            [Bytes("w", 4, 5), TensorData.Scalar("s", 0.1f), TensorData.Scalar("z", (byte)1)]),
        ["Range"] = (11, [3], [N("Range", "a b c")], [TensorData.Scalar("a", 0f), TensorData.Scalar("b", 5f), TensorData.Scalar("c", 2f)]),
        ["ReduceMean before 18"] = (13, Image, [N("ReduceMean", "x").With("axes", [1L, -1]).With("keepdims", 0)], []),
        ["ReduceMean"] = (18, Image, [N("ReduceMean", "x a")], [Ints("a", 1, -1)]),
        ["ReduceMean, empty axes"] = (18, Image, [N("ReduceMean", "x a").With("noop_with_empty_axes", 1)], [Ints("a")]),
        ["ReduceSum before 13"] = (11, Image, [N("ReduceSum", "x").With("axes", [2L])], []),
        ["Reshape"] = (21, Image, [N("Reshape", "x s").With("allowzero", 0)], [Ints("s", 0, -1, 3)]),
        ["Resize 10"] = (10, Image, [N("Resize", "x s")], [Floats("s", 1, 1, 1.5f, 2)]),
        ["Resize by scales"] = (11, Image, [N("Resize", "x r s")], [Floats("r"), Floats("s", 1, 1, 1.5f, 2)]),
        ["Resize by sizes"] = (13, Image, [N("Resize", "x   s")], [Ints("s", 2, 4, 7, 9)]),
        ["RNN"] = (14, [7, 2, 5], [N("RNN", "x w r", "y h").With("hidden_size", 3)],
            [Graphs.Random("w", 1, 1, 3, 5), Graphs.Random("r", 2, 1, 3, 3)]),
        ["ScatterElements"] = (
            16, [3, 4], [N("ScatterElements", "x i u")], [TensorData.Create<long>("i", [1, 2], [0, 1]), Graphs.Random("u", 1, 1, 2)]),
        ["ScatterND"] = (
            16, [3, 4], [N("ScatterND", "x i u")], [TensorData.Create<long>("i", [2, 1], [0, 2]), Graphs.Random("u", 1, 2, 4)]),
        ["Shape"] = (15, Image, [N("Shape", "x").With("start", 1)], []),
        ["Size"] = (13, Image, [N("Size", "x")], []),
        ["Slice before 10"] = (9, Image, [N("Slice", "x").With("starts", [1L, -3]).With("ends", [100L, -1]).With("axes", [1L, 2])], []),
        ["Slice before 10, no axes"] = (9, Image, [N("Slice", "x").With("starts", [1L]).With("ends", [2L])], []),
        ["Slice"] = (13, Image, [N("Slice", "x a b c d")], [Ints("a", 3), Ints("b", 0), Ints("c", 1), Ints("d", 1)]),
        ["SpaceToDepth"] = (13, [1, 4, 6, 4], [N("SpaceToDepth", "x").With("blocksize", 2)], []),
        ["Split before 13"] = (11, Image, [N("Split", "x", "y z").With("axis", 1).With("split", [1L, 3])], []),
        ["Split before 13, equal"] = (11, Image, [N("Split", "x", "y z").With("axis", 1)], []),
        ["Split"] = (13, Image, [N("Split", "x s", "y z").With("axis", 1)], [Ints("s", 1, 3)]),
        ["Split with a rest"] = (18, Image, [N("Split", "x", "y z").With("axis", 3).With("num_outputs", 2)], []),
        ["Squeeze before 13"] = (11, [2, 1, 3, 1], [N("Squeeze", "x").With("axes", [-1L])], []),
        ["Squeeze"] = (13, [2, 1, 3, 1], [N("Squeeze", "x a")], [Ints("a", 1)]),
        ["Squeeze of all"] = (13, [2, 1, 3, 1], [N("Squeeze", "x")], []),
        ["Sum"] = (13, [4, 1], [N("Sum", "x c x")], [Graphs.Random("c", 1, 3, 1, 5)]),
        ["Tile"] = (13, [2, 3], [N("Tile", "x r")], [Ints("r", 3, 2)]),
        ["TopK before 10"] = (9, [3, 7], [N("TopK", "x", "y i").With("k", 2)], []),
        ["TopK"] = (11, [3, 7], [N("TopK", "x k", "y i").With("axis", 0)], [Ints("k", 2)]),
        ["Transpose"] = (13, Image, [N("Transpose", "x").With("perm", [0L, 2, 3, 1])], []),
        ["Trilu"] = (14, [2, 3, 3], [N("Trilu", "x")], []),
        ["Unsqueeze before 13"] = (11, [2, 3], [N("Unsqueeze", "x").With("axes", [0L, 3])], []),
        ["Upsample before 9"] = (8, Image, [N("Upsample", "x").With(Attribute("scales", 1, 1, 1.5f, 2))], []),
        ["Upsample"] = (9, Image, [N("Upsample", "x s")], [Floats("s", 1, 1, 1.5f, 2)]),
        ["Where"] = (
            16, [4, 1], [To("Cast", "x", "p", 9), N("Where", "p c d")], [Graphs.Random("c", 1, 3), Graphs.Random("d", 1, 2, 1, 1)]),
        ["Xor"] = (17, Image, [To("Cast", "x", "p", 9), N("Xor", "p p")], []),
    };

    public static TheoryData<string> Names =>
        [.. Cases.Keys, .. OnnxOperators.All.Where(row => row.Layout is not null || row.Channels is not null).Select(row => row.Name)
        .Except(Cases.Keys)];

    [Theory, MemberData(nameof(Names))]
    public void Types_and_shapes_are_those_of_ONNX_Runtime(string name)
    {
        OnnxModel model = Create(name);
        IReadOnlyDictionary<string, TensorInfo> inferred = ShapeInference.Infer(model, batch: 2);
        OnnxModel all = GraphSlicer.WithOutputs(model, model.Nodes.SelectMany(n => n.Outputs));
        all.Graph.Outputs.ForEach(output => output.Type!.Tensor!.Shape = null);
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        using var session = new InferenceSession(all.ToBytes(), options);
        long[] shape = [.. inferred["x"].Shape.Select(d => d.Value!.Value)];
        using OrtValue x = OrtValue.CreateTensorValueFromMemory(Oracle.Uniform(1, (int)shape.Aggregate(1L, (a, b) => a * b), 0, 1), shape);
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, ["x"], [x], session.OutputNames);
        foreach ((string output, OrtValue result) in session.OutputNames.Zip(results))
        {
            OrtTensorTypeAndShapeInfo actual = result.GetTensorTypeAndShape();
            TensorInfo info = inferred[output];
            Assert.Equal((output, (OnnxType)(int)actual.ElementDataType), (output, info.Type));
            Assert.Equal(actual.Shape.Length, info.Rank);
            Assert.All(info.Shape.Zip(actual.Shape), pair =>
                Assert.True(pair.First.Value is null || pair.First.Value == pair.Second, $"'{output}' is {info}, and ONNX Runtime has "
                + $"[{string.Join(", ", actual.Shape)}]."));
            Assert.True(name == "Range" || info.Shape.All(d => d.IsKnown), $"'{output}' is {info}.");
        }
    }

    [Fact]
    public void Every_row_with_a_shape_has_a_case()
    {
        var covered = Names.Select(row => row.Data).SelectMany(name => Create(name).Nodes).Select(node => node.OpType).ToHashSet();
        Assert.Empty(
            OnnxOperators.All.Where(row => row.Domain.Length == 0 && row.Shape is not null).Select(row => row.Name).Except(covered));
    }

    [Fact]
    public void An_operand_is_broadcast_along_an_axis_before_version_7()
    {
        NodeProto add = N("Add", "x c").With("broadcast", 1).With("axis", 1);
        Assert.Equal("float[2, 4, 6, 5]", ShapeInference.Infer(Model(6, Image, [add], [Graphs.Random("c", 1, 4)]))["y"].ToString());
    }

    [Fact]
    public void A_reshape_before_version_5_has_its_shape_as_an_attribute() =>
        Assert.Equal(
            "float[2, 120]", ShapeInference.Infer(Model(4, Image, [N("Reshape", "x").With("shape", [0L, -1])], []))["y"].ToString());

    [Fact]
    public void Shapes_are_followed_through_a_slice_of_any_version()
    {
        NodeProto[] Nodes(NodeProto slice) =>
            [N("Shape", "x", "s"), slice, new NodeProto("Concat", "", ["f", "rest"], ["t"]).With("axis", 0), N("Reshape", "x t")];
        OnnxModel old = Model(
            9, Image, Nodes(N("Slice", "s", "f").With("starts", [0L]).With("ends", [1L]).With("axes", [0L])), [Ints("rest", -1)]);
        OnnxModel now = Model(13, Image, Nodes(N("Slice", "s a b", "f")), [Ints("rest", -1), Ints("a", 0), Ints("b", 1)]);
        Assert.Equal("float[2, 120]", ShapeInference.Infer(old)["y"].ToString());
        Assert.Equal("float[2, 120]", ShapeInference.Infer(now)["y"].ToString());
    }

    [Fact]
    public void A_parameter_in_the_place_of_another_version_is_refused()
    {
        Assert.Equal(
            "Squeeze 'n' has 'axes' as input 1; in operator set 11 it is an attribute.",
            Message(Model(11, Image, [N("Squeeze", "x a")], [Ints("a", 0)])));
        Assert.Equal(
            "Squeeze 'n' has 'axes' as an attribute; in operator set 13 it is input 1.",
            Message(Model(13, Image, [N("Squeeze", "x").With("axes", [0L])], [])));
        Assert.Equal(
            "Resize 'n' has 'scales' as an attribute; in operator set 13 it is input 2.",
            Message(Model(13, Image, [N("Resize", "x").With(Attribute("scales", 1, 1, 2, 2))], [])));
    }

    [Fact]
    public void A_version_without_a_rule_leaves_the_shape_unknown()
    {
        Assert.False(ShapeInference.Infer(Model(1, Image, [N("Pad", "x")], []))["y"].HasShape);
        Assert.False(ShapeInference.Infer(Model(13, Image, [N("Upsample", "x s")], [Floats("s", 1, 1, 2, 2)]))["y"].HasShape);
    }

    [Fact]
    public void Sizes_that_cannot_be_are_refused()
    {
        Assert.Equal(
            "TopK 'n': its output 'y' would be float[3, -2].", Message(Model(13, [3, 7], [N("TopK", "x k", "y i")], [Ints("k", -2)])));
        Assert.Equal(
            "Tile 'n': a length of 3 cannot be taken 9000000000000000000 times.",
            Message(Model(13, [3, 7], [N("Tile", "x r")], [Ints("r", 9_000_000_000_000_000_000, 1)])));
        Assert.Equal(
            "DepthToSpace 'n': its blocksize is no size.", Message(Model(13, Image, [N("DepthToSpace", "x").With("blocksize", -2)], [])));
        Assert.Equal(
            "DepthToSpace 'n': a length of 4 does not divide into blocks of 9.",
            Message(Model(13, Image, [N("DepthToSpace", "x").With("blocksize", 3)], [])));
        Assert.Equal(
            "ConvTranspose 'n': its output 'y' would be float[2, 3, -7, 6].",
            Message(Model(13, Image, [N("ConvTranspose", "x w").With("output_padding", [-15L, 0])], [Graphs.Random("w", 1, 4, 3, 3, 2)])));
    }

    private static string Message(OnnxModel model) => Assert.Throws<OnnxException>(() => ShapeInference.Infer(model)).Message;

    private static OnnxModel Create(string name)
    {
        if (!Cases.TryGetValue(name, out (long Opset, long[] Input, NodeProto[] Nodes, TensorProto[] Constants) c))
            return OperatorExamples.Network(name).Model;
        return Model(c.Opset, c.Input, c.Nodes, c.Constants);
    }

    private static OnnxModel Model(long opset, long[] input, NodeProto[] nodes, TensorProto[] constants)
    {
        OnnxModel model = Graphs.Of(
            [.. input.Select(d => (Dim)d)], [1], [.. nodes.Select(n => ProtoBuf.Serializer.DeepClone(n))],
            [.. constants.Select(t => ProtoBuf.Serializer.DeepClone(t))], opset);
        model.Graph.Outputs.Clear();
        return model;
    }

    // Inputs by name with spaces between; two stand around one that is left out.
    private static NodeProto N(string op, string inputs, string outputs = "y") => new(op, "n", inputs.Split(' '), outputs.Split(' '));

    private static NodeProto To(string op, string from, string to, long type) => new NodeProto(op, "to", [from], [to]).With("to", type);

    private static TensorProto Ints(string name, params long[] values) => Graphs.Ints(name, values);

    private static TensorProto Floats(string name, params float[] values) => TensorData.Create<float>(name, [values.Length], values);

    private static TensorProto Bytes(string name, params long[] dims) =>
        TensorData.Create<byte>(name, dims, new byte[dims.Aggregate(1L, (a, b) => a * b)]);

    private static AttributeProto Attribute(string name, params float[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Floats };
        attribute.Floats.AddRange(values);
        return attribute;
    }
}
