using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Tests.Passes.Normalize;

/// <summary>Models of old operator sets compute in ONNX Runtime, brought to set 13, what they computed before.</summary>
public sealed class OperatorSetUpgradeTests
{
    private static readonly int[] s_shape = [2, 3, 4, 6];

    // One operator from x to y each: its set, its attributes, and constants "a", "b" that it reads.
    private static readonly Dictionary<string, (int Opset, NodeProto Node, TensorProto[] Constants)> Cases = new()
    {
        ["Clip"] = (9, Op("Clip").With("min", -0.3f).With("max", 0.4f), []),
        ["Clip without a least value"] = (7, Op("Clip").With("max", 0.4f), []),
        ["Slice"] = (9, Op("Slice").With("starts", [1L, -3]).With("ends", [3L, 100]).With("axes", [1L, 3]), []),
        ["Slice without axes"] = (9, Op("Slice").With("starts", [0L, 1]).With("ends", [1L, 3]), []),
        ["Pad"] = (10, Op("Pad").With("pads", [0L, 0, 1, 2, 0, 0, 0, 1]).With("value", 0.5f), []),
        ["Pad by reflection"] = (9, Op("Pad").With("pads", [0L, 0, 1, 2, 0, 0, 0, 1]).With("mode", "reflect"), []),
        ["Unsqueeze"] = (11, Op("Unsqueeze").With("axes", [0L, 3]), []),
        ["Squeeze"] = (9, Op("Squeeze", "one").With("axes", [0L]), []),
        ["ReduceSum"] = (12, Op("ReduceSum").With("axes", [1L, -1]).With("keepdims", 0), []),
        ["ReduceSum over all"] = (9, Op("ReduceSum"), []),
        ["ReduceMean"] = (11, Op("ReduceMean").With("axes", [2L]), []),
        ["Split"] = (11, new NodeProto("Split", "n", ["x"], ["y", "z"]).With("axis", 3).With("split", [2L, 4]), []),
        ["TopK"] = (9, new NodeProto("TopK", "n", ["x"], ["y", "i"]).With("k", 2), []),
        ["Dropout"] = (7, Op("Dropout").With("ratio", 0.3f), []),
        ["Dropout by inputs"] = (
            12, new NodeProto("Dropout", "n", ["x", "ratio"], ["y", ""]).With("seed", 3), [TensorData.Scalar("ratio", 0.3f)]),
        ["Dropout with a mask"] = (11, new NodeProto("Dropout", "n", ["x"], ["y", "mask"]).With("ratio", 0.3f), []),
        ["Upsample"] = (7, Op("Upsample").With(Floats("scales", 1, 1, 2, 3)).With("mode", "nearest"), []),
        ["Upsample by an input"] = (9, Op("Upsample", "x a").With("mode", "linear"), [Scales(1, 1, 2.5f, 2)]),
        ["Resize up"] = (10, Op("Resize", "x a"), [Scales(1, 1, 1.7f, 2)]),
        ["Resize down"] = (10, Op("Resize", "x a"), [Scales(1, 1, 0.6f, 0.4f)]),
        ["Resize linear"] = (10, Op("Resize", "x a").With("mode", "linear"), [Scales(1, 1, 0.6f, 2)]),
        ["Softmax"] = (9, Op("Softmax"), []),
        ["Softmax of the last axis"] = (11, Op("Softmax").With("axis", 3), []),
        ["LogSoftmax"] = (11, Op("LogSoftmax").With("axis", -2), []),
        ["Hardmax"] = (7, Op("Hardmax").With("axis", 2), []),
        ["BatchNormalization"] = (
            7, Op("BatchNormalization", "x a a b b").With("spatial", 1), [Of("a", 0.5f, 1, 2), Of("b", 0.25f, 0.5f, 1)]),
        ["Scatter"] = (
            9, Op("Scatter", "x i u").With("axis", 3),
            [TensorData.Create<long>("i", [1, 1, 1, 2], [4, 1]), TensorData.Create<float>("u", [1, 1, 1, 2], [7, 8])]),
        ["Gemm"] = (7, Op("Gemm", "flat a b").With("alpha", 0.5f), [Matrix("a", 72, 5), Of("b", 1, 2, 3, 4, 5)]),
        ["PRelu"] = (7, Op("PRelu", "x a"), [TensorData.Create<float>("a", [3, 1, 1], [0.1f, 0.2f, 0.3f])]),
        ["Flatten"] = (7, Op("Flatten").With("axis", 2), []),
        ["MaxPool"] = (8, Op("MaxPool").With("kernel_shape", [2L, 2]).With("pads", [1L, 0, 0, 1]), []),
        ["AveragePool"] = (7, Op("AveragePool").With("kernel_shape", [2L, 2]).With("pads", [1L, 0, 0, 1]).With("count_include_pad", 1), []),
        ["ArgMax"] = (7, Op("ArgMax").With("axis", 1), []),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_operator_of_an_old_set_computes_the_same_in_the_new_one(string name)
    {
        OnnxModel old = Build(name, body: false), model = OperatorSetUpgrade.Apply(old);
        Assert.Equal(OperatorSetUpgrade.Target, model.OpsetVersion());
        Assert.Equal(Cases[name].Opset, old.OpsetVersion());
        float[] input = Input();
        Dictionary<string, (float[] Data, int[] Shape)> expected = Oracle.Run(old, input, s_shape);
        AssertEqual(expected, Oracle.Run(model, input, s_shape));
        Assert.Equal(
            expected["result"].Shape.Select(d => (Dim)d), ShapeInference.Infer(model)["result"].Shape.Select((d, i) => d.IsKnown
                ? d : expected["result"].Shape[i]));
        Assert.Same(model, OperatorSetUpgrade.Apply(model));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void So_does_one_in_a_branch(string name)
    {
        if (Cases[name].Opset < 9) // before, ONNX Runtime gives a branch no shapes
            return;
        OnnxModel old = Build(name, body: true);
        float[] input = Input();
        AssertEqual(Oracle.Run(old, input, s_shape), Oracle.Run(OperatorSetUpgrade.Apply(old), input, s_shape));
    }

    [Theory]
    [InlineData("Clip", OnnxType.Float16, 1e-3f)]
    [InlineData("Pad", OnnxType.Double, 1e-6f)] // ONNX Runtime has no Clip of doubles in these sets
    public void Sixteen_bit_and_double_parameters_have_the_tensors_type(string name, OnnxType type, float tolerance)
    {
        OnnxModel old = Build(name, body: false);
        NodeProto node = old.Nodes.Find(node => node.Is(name))!;
        int at = old.Nodes.IndexOf(node);
        old.Nodes.Insert(at, new NodeProto("Cast", "to", ["x"], ["wide"]).With("to", (long)type));
        node.Inputs[0] = "wide";
        node.Outputs[0] = "narrow";
        old.Nodes.Insert(at + 2, new NodeProto("Cast", "from", ["narrow"], ["y"]).With("to", 1));
        float[] input = Input();
        AssertEqual(Oracle.Run(old, input, s_shape), Oracle.Run(OperatorSetUpgrade.Apply(old), input, s_shape), tolerance);
    }

    [Fact]
    public void Initializers_that_had_to_be_inputs_are_constants_again()
    {
        OnnxModel old = Build("PRelu", body: false);
        old.Proto.IrVersion = 3;
        old.Graph.Inputs.Add(ValueInfoProto.Tensor("a", OnnxType.Float, [3, 1, 1]));
        OnnxModel model = OperatorSetUpgrade.Apply(old);
        Assert.Equal(["x"], model.Graph.Inputs.Select(input => input.Name));
        float[] input = Input();
        AssertEqual(Oracle.Run(old, input, s_shape), Oracle.Run(model, input, s_shape));
    }

    [Fact]
    public void What_has_no_counterpart_is_named_with_the_reason()
    {
        Assert.Contains("some above and some below 1", Refusal(10, Op("Resize", "x a"), Scales(1, 1, 0.5f, 2)), StringComparison.Ordinal);
        Assert.Contains(
            "spatial = 0", Refusal(7, Op("BatchNormalization", "x a a a a").With("spatial", 0), Of("a", 1)), StringComparison.Ordinal);
        Assert.Contains("mask is read", Refusal(7, new NodeProto("Dropout", "n", ["x"], ["z", "y"])), StringComparison.Ordinal);
        Assert.Contains("operator set 6, expected 7", Refusal(6, Op("Relu")), StringComparison.Ordinal);

        static string Refusal(int opset, NodeProto node, params TensorProto[] constants) =>
            Assert.Throws<OnnxException>(() => OperatorSetUpgrade.Apply(Model(opset, [node], constants, "y"))).Message;
    }

    private static OnnxModel Build(string name, bool body)
    {
        (int opset, NodeProto node, TensorProto[] constants) = Cases[name];
        NodeProto copy = new(node.OpType, node.Name, [.. node.Inputs], [.. node.Outputs]);
        copy.Attributes.AddRange(node.Attributes);
        List<NodeProto> nodes = [];
        if (node.Inputs.Contains("one"))
            nodes.Add(new NodeProto("Unsqueeze", "before", ["x"], ["one"]).With("axes", [0L]));
        if (node.Inputs.Contains("flat"))
            nodes.Add(new NodeProto("Flatten", "before", ["x"], ["flat"]));
        nodes.Add(copy);
        nodes.Add(new NodeProto("Cast", "last", ["y"], ["result"]).With("to", 1));
        if (!body)
            return Model(opset, nodes, constants, "result");
        var choose = new NodeProto("If", "if", ["yes"], ["chosen"]);
        foreach ((string branch, string suffix) in ((string, string)[])[("then_branch", ""), ("else_branch", "_else")])
            choose.Attributes.Add(
                new AttributeProto { Name = branch, G = Branch(nodes, constants, suffix), Type = AttributeType.Graph });
        return Model(opset, [choose], [new TensorProto { Name = "yes", DataType = OnnxType.Bool, RawData = [1] }], "chosen");
    }

    /// <summary>ONNX Runtime wants branches of one shape, so both do the same, under names of their own.</summary>
    private static GraphProto Branch(IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> constants, string suffix)
    {
        var branch = new GraphProto { Name = "branch" + suffix };
        foreach (NodeProto node in nodes)
        {
            var copy = new NodeProto(
                node.OpType, node.Name + suffix, [.. node.Inputs.Select(Named)], [.. node.Outputs.Select(Named)]);
            copy.Attributes.AddRange(node.Attributes);
            branch.Nodes.Add(copy);
        }

        foreach (TensorProto constant in constants)
        {
            var copy = new TensorProto { Name = Named(constant.Name), DataType = constant.DataType, RawData = constant.ReadBytes() };
            copy.Dims.AddRange(constant.Dims);
            branch.Initializers.Add(copy);
        }

        branch.Outputs.Add(new ValueInfoProto
        {
            Name = Named("result"),
            Type = new TypeProto { Tensor = new TensorTypeProto { ElementType = OnnxType.Float } },
        });
        return branch;

        string Named(string tensor) => tensor is "x" ? tensor : tensor + suffix;
    }

    private static OnnxModel Model(int opset, IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> constants, string output)
    {
        var graph = new GraphProto { Name = "old" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, [.. s_shape.Select(d => (Dim)d)]));
        graph.Nodes.AddRange(nodes);
        graph.Initializers.AddRange(constants);
        graph.Outputs.Add(new ValueInfoProto
        {
            Name = output,
            Type = new TypeProto { Tensor = new TensorTypeProto { ElementType = OnnxType.Float } },
        });
        return new OnnxModel(new ModelProto
        {
            IrVersion = 4,
            Graph = graph,
            OpsetImports = { new OperatorSetIdProto { Domain = "", Version = opset } },
        });
    }

    private static float[] Input()
    {
        var random = new Random(2);
        return [.. Enumerable.Range(0, s_shape.Aggregate(1, (a, b) => a * b)).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private static void AssertEqual(
        Dictionary<string, (float[] Data, int[] Shape)> expected, Dictionary<string, (float[] Data, int[] Shape)> actual,
        float tolerance = 1e-6f)
    {
        foreach ((string output, (float[] data, int[] shape)) in expected)
        {
            Assert.Equal(shape, actual[output].Shape);
            for (int i = 0; i < data.Length; i++)
                Assert.Equal(data[i], actual[output].Data[i], tolerance);
        }
    }

    private static NodeProto Op(string op, string inputs = "x") => new(op, "n", inputs.Split(' '), ["y"]);

    private static AttributeProto Floats(string name, params float[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Floats };
        attribute.Floats.AddRange(values);
        return attribute;
    }

    private static TensorProto Scales(params float[] scales) => Of("a", scales);

    private static TensorProto Of(string name, params float[] values) => TensorData.Create<float>(name, [values.Length], values);

    private static TensorProto Matrix(string name, int rows, int columns) => TensorData.Create<float>(
        name, [rows, columns], [.. Enumerable.Range(0, rows * columns).Select(i => i % 7 - 3f)]);
}
