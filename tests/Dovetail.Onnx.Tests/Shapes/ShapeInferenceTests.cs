using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Shapes;

public sealed class ShapeInferenceTests
{
    [Theory]
    [InlineData("fashion-cnn")]
    [InlineData("mlp")]
    public void Every_tensor_of_a_zoo_network_has_the_shape_that_ONNX_Runtime_computes(string name)
    {
        OnnxModel model = ZooModels.Create(name, 1);
        OnnxModel all = GraphSlicer.WithOutputs(model, model.Nodes.Select(n => n.Outputs[0]));
        IReadOnlyDictionary<string, TensorInfo> open = ShapeInference.Infer(model), fixedBatch = ShapeInference.Infer(model, batch: 2);
        Dictionary<string, (float[], int[] Shape)> actual = Oracle.Run(all, Oracle.Images(1, 2), [2, 1, 28, 28]);
        Assert.Equal(model.Nodes.Count, actual.Count);
        foreach ((string tensor, (_, int[] shape)) in actual)
        {
            Assert.Equal(shape, fixedBatch[tensor].Shape.Select(d => (int)d.Value!));
            Assert.Equal("N", open[tensor].Shape[0].Symbol);
            Assert.Equal(shape.Skip(1), open[tensor].Shape.Skip(1).Select(d => (int)d.Value!));
        }
    }

    /// <summary>What PyTorch writes for a padding: zeros behind the pads, pairs, turned around.</summary>
    [Fact]
    public void Pads_that_a_graph_computes_are_known()
    {
        OnnxModel model = Graphs.Of([2, 64], [2, 70],
        [
            new NodeProto("ConstantOfShape", "z", ["two"], ["zeros"]).With(
                new AttributeProto { Name = "value", T = TensorData.Create<long>("", [1], [0]), Type = AttributeType.Tensor }),
            new NodeProto("Concat", "c", ["pads", "zeros"], ["all"]).With("axis", 0),
            new NodeProto("Reshape", "r", ["all", "pairs"], ["rows"]),
            new NodeProto("Slice", "s", ["rows", "last", "end", "axis", "back"], ["turned"]),
            new NodeProto("Transpose", "t", ["turned"], ["columns"]).With("perm", [1L, 0]),
            new NodeProto("Reshape", "f", ["columns", "flat"], ["ready"]),
            new NodeProto("Cast", "i", ["ready"], ["sizes"]).With("to", 7),
            new NodeProto("Pad", "p", ["x", "sizes"], ["y"]),
        ],
        [
            Longs("two", 2), Longs("pads", 4, 2), Longs("pairs", -1, 2), Longs("last", -1), Longs("end", long.MinValue), Longs("axis", 0),
            Longs("back", -1), Longs("flat", -1),
        ]);
        Assert.Equal([2, 70], ShapeInference.Infer(model)["y"].Shape.Select(d => d.Value!.Value));
        Assert.Equal([2, 70], Oracle.Run(model, new float[128], [2, 64])["y"].Shape);
    }

    /// <summary>"Squeeze where the size is 1, else nothing": the branch that does not run may contradict itself.</summary>
    [Theory]
    [InlineData(1, new long[] { 5 })]
    [InlineData(3, new long[] { 3, 5 })]
    public void The_branch_that_a_shape_chooses_says_what_an_If_makes(long rows, long[] shape)
    {
        var choose = new NodeProto("If", "if", ["is_one"], ["y"]);
        foreach ((string branch, NodeProto node) in ((string, NodeProto)[])[
            ("then_branch", new NodeProto("Squeeze", "squeeze", ["x", "axis"], ["then_y"])),
            ("else_branch", new NodeProto("Identity", "same", ["x"], ["else_y"]))])
        {
            var graph = new GraphProto { Name = branch };
            graph.Nodes.Add(node);
            graph.Outputs.Add(new ValueInfoProto { Name = node.Outputs[0] });
            choose.Attributes.Add(new AttributeProto { Name = branch, G = graph, Type = AttributeType.Graph });
        }

        OnnxModel model = Graphs.Of([rows, 5], [5],
        [
            new NodeProto("Shape", "shape", ["x"], ["d"]), new NodeProto("Gather", "first", ["d", "axis"], ["n"]),
            new NodeProto("Equal", "equal", ["n", "one"], ["e"]), new NodeProto("Not", "not", ["e"], ["other"]),
            new NodeProto("Not", "again", ["other"], ["is_one"]), choose,
        ], [Longs("axis", 0), Longs("one", 1)]);
        Assert.Equal(shape, ShapeInference.Infer(model)["y"].Shape.Select(d => d.Value!.Value));
    }

    [Fact]
    public void A_branch_that_reads_what_is_made_only_later_is_refused()
    {
        var choose = new NodeProto("If", "if", ["c"], ["y"]);
        foreach ((string branch, string output) in ((string, string)[])[("then_branch", "product"), ("else_branch", "late")])
        {
            var graph = new GraphProto { Name = branch };
            graph.Nodes.Add(new NodeProto("MatMul", $"m_{branch}", ["late", "w"], [branch == "then_branch" ? "product" : "other"]));
            graph.Outputs.Add(new ValueInfoProto { Name = output });
            choose.Attributes.Add(new AttributeProto { Name = branch, G = graph, Type = AttributeType.Graph });
        }

        OnnxModel model = Graphs.Of(
            [2, 4], [2, 4],
            [new NodeProto("Cast", "cast", ["x"], ["c"]).With("to", 9), choose, new NodeProto("Relu", "relu", ["x"], ["late"])],
            [Graphs.Random("w", 1, 4, 4)]);
        Assert.Contains(
            "If 'if' reads 'late', which Relu 'relu' makes only later",
            Assert.Throws<OnnxException>(() => WeightLayers.Find(model)).Message);
    }

    [Fact]
    public void A_chosen_branch_that_is_not_known_leaves_what_the_file_says()
    {
        var choose = new NodeProto("If", "if", ["yes"], ["y"]);
        foreach (string branch in (string[])["then_branch", "else_branch"])
        {
            var graph = new GraphProto { Name = branch };
            graph.Nodes.Add(new NodeProto("Unheard", "n", ["x"], [$"{branch}_y"], "own"));
            graph.Outputs.Add(new ValueInfoProto { Name = $"{branch}_y" });
            choose.Attributes.Add(new AttributeProto { Name = branch, G = graph, Type = AttributeType.Graph });
        }

        OnnxModel model = Graphs.Of(
            [1, 4], [1, 4], [choose], [new TensorProto { Name = "yes", DataType = OnnxType.Bool, RawData = [1] }]);
        Assert.Equal([1, 4], ShapeInference.Infer(model)["y"].Shape.Select(d => d.Value!.Value));
    }

    [Fact]
    public void Short_tensors_that_are_no_lists_are_not_taken_for_such()
    {
        OnnxModel outer = Graphs.Of([1], [1],
            [
                new NodeProto("Mul", "m", ["column", "row"], ["table"]), new NodeProto("Reshape", "r", ["table", "flat"], ["list"]),
                new NodeProto("Slice", "s", ["list", "zero", "two", "zero", "zero"], ["never"]),
                new NodeProto("ConstantOfShape", "c", ["list"], ["y"]),
            ],
            [
                TensorData.Create<long>("column", [2, 1], [1, 2]), TensorData.Create<long>("row", [1, 2], [1, 2]), Longs("flat", -1),
                Longs("zero", 0), Longs("two", 2),
            ]);
        TensorInfo made = ShapeInference.Infer(outer)["y"];
        Assert.True(
            made.Shape.All(d => !d.IsKnown) || made.Shape.Select(d => d.Value!.Value).SequenceEqual([1L, 2, 2, 4]), made.ToString());
    }

    [Fact]
    public void Many_branches_take_no_more_than_what_they_read()
    {
        var nodes = new List<NodeProto> { new NodeProto("Cast", "cast", ["x"], ["c"]).With("to", 9) };
        string last = "x";
        for (int i = 0; i < 3000; i++)
        {
            var choose = new NodeProto("If", $"if{i}", ["c"], [$"y{i}"]);
            foreach (string name in (string[])["then_branch", "else_branch"])
            {
                var graph = new GraphProto { Name = name };
                graph.Nodes.Add(new NodeProto("Relu", $"n{i}{name}", [last], [$"{name}{i}"]));
                graph.Outputs.Add(new ValueInfoProto { Name = $"{name}{i}" });
                choose.Attributes.Add(new AttributeProto { Name = name, G = graph, Type = AttributeType.Graph });
            }

            nodes.Add(choose);
            last = $"y{i}";
        }

        OnnxModel model = Graphs.Of([2, 3], [2, 3], [.. nodes], []);
        model.Graph.Outputs[0].Name = last;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal([2, 3], ShapeInference.Infer(model)[last].Shape.Select(d => d.Value!.Value));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200 << 20);
    }

    [Fact]
    public void A_Squeeze_without_axes_says_nothing_of_sizes_that_are_not_known()
    {
        OnnxModel model = Graphs.Of([1, 3], [3], [new NodeProto("Squeeze", "s", ["x"], ["y"])], []);
        Assert.Equal([3], ShapeInference.Infer(model)["y"].Shape.Select(d => d.Value!.Value));
        model.Graph.Inputs[0] = ValueInfoProto.Tensor("x", OnnxType.Float, "rows", 3);
        model.Graph.Outputs[0] = new ValueInfoProto { Name = "y" };
        Assert.False(ShapeInference.Infer(model)["y"].HasShape);
    }

    private static TensorProto Longs(string name, params long[] values) => TensorData.Create<long>(name, [values.Length], values);

    public static TheoryData<string> Cases => [.. CaseTable.Keys];

    private static readonly Dictionary<string, (long[] Input, NodeProto Node, TensorProto[] Constants)> CaseTable = new()
    {
        ["conv stride pad dilation group"] = (
            [2, 4, 9, 11], Node("Conv", "w").With("strides", [2L, 1]).With("pads", [1L, 0, 2, 3]).With("dilations", [1L, 2])
            .With("group", 2), [Graphs.Random("w", 1, 6, 2, 3, 2)]),
        ["conv same upper"] = (
            [1, 2, 9, 10], Node("Conv", "w").With("strides", [2L, 3]).With("auto_pad", "SAME_UPPER"), [Graphs.Random("w", 1, 3, 2, 3, 4)]),
        ["conv same lower"] = (
            [1, 2, 9, 10], Node("Conv", "w").With("strides", [2L, 2]).With("auto_pad", "SAME_LOWER"), [Graphs.Random("w", 1, 3, 2, 4, 3)]),
        ["conv 1d"] = ([1, 2, 9], Node("Conv", "w"), [Graphs.Random("w", 1, 3, 2, 4)]),
        ["max pool"] = (
            [1, 2, 9, 10], Node("MaxPool").With("kernel_shape", [3L, 2]).With("strides", [2L, 2]).With("pads", [1L, 0, 1, 0]), []),
        ["max pool ceil"] = (
            [1, 2, 9, 10], Node("MaxPool").With("kernel_shape", [2L, 3]).With("strides", [2L, 2]).With("ceil_mode", 1), []),
        ["average pool ceil pad"] = (
            [1, 2, 6, 7], Node("AveragePool").With("kernel_shape", [2L, 2]).With("strides", [3L, 3]).With("pads", [1L, 1, 1, 1])
            .With("ceil_mode", 1), []),
        ["gemm"] = ([3, 4], Node("Gemm", "w"), [Graphs.Random("w", 1, 4, 5)]),
        ["gemm trans"] = ([4, 3], Node("Gemm", "w").With("transA", 1).With("transB", 1), [Graphs.Random("w", 1, 5, 4)]),
        ["matmul 3d"] = ([2, 3, 4], Node("MatMul", "w"), [Graphs.Random("w", 1, 4, 5)]),
        ["matmul broadcast"] = ([2, 1, 3, 4], Node("MatMul", "w"), [Graphs.Random("w", 1, 6, 4, 5)]),
        ["reduce"] = ([2, 3, 4, 5], Node("ReduceMean").With("axes", [-1L, 1]).With("keepdims", 0), []),
        ["reduce keep"] = ([2, 3, 4, 5], Node("ReduceMean").With("axes", [2L, 3]), []),
        ["reduce all"] = ([2, 3], Node("ReduceMean"), []),
        ["flatten 0"] = ([2, 3, 4], Node("Flatten").With("axis", 0), []),
        ["flatten 2"] = ([2, 3, 4], Node("Flatten").With("axis", 2), []),
        ["flatten -1"] = ([2, 3, 4], Node("Flatten").With("axis", -1), []),
        ["reshape"] = ([2, 3, 4], Node("Reshape", "s"), [Graphs.Ints("s", 0, -1, 2)]),
        ["reshape full"] = ([2, 3, 4], Node("Reshape", "s"), [Graphs.Ints("s", 4, 6)]),
        ["transpose"] = ([2, 3, 4], Node("Transpose").With("perm", [1L, 2, 0]), []),
        ["transpose default"] = ([2, 3, 4], Node("Transpose"), []),
        ["concat"] = ([2, 3], Node("Concat", "w").With("axis", -1), [Graphs.Random("w", 1, 2, 5)]),
        ["gather"] = ([2, 3, 4], Node("Gather", "s").With("axis", -2), [Graphs.Ints("s", 2, 0, 1, 0, 2)]),
        ["gather scalar"] = ([2, 3, 4], Node("Gather", "s"), [TensorData.Scalar("s", 1L)]),
        ["add broadcast"] = ([3, 1], Node("Add", "w"), [Graphs.Random("w", 1, 2, 3, 4)]),
        ["squeeze"] = ([2, 1, 3, 1], Node("Squeeze", "s"), [Graphs.Ints("s", -1)]),
        ["unsqueeze"] = ([2, 3], Node("Unsqueeze", "s"), [Graphs.Ints("s", 0, -1)]),
        ["softmax"] = ([2, 3], Node("Softmax").With("axis", -1), []),
        ["layer norm"] = ([2, 3], Node("LayerNormalization", "w"), [Graphs.Random("w", 1, 3)]),
        ["slice"] = (
            [5, 6, 7], Node("Slice", "a", "b", "c"), [Graphs.Ints("a", 1, -3), Graphs.Ints("b", 100, -1), Graphs.Ints("c", 0, -1)]),
        ["slice with steps"] = (
            [5, 6, 7], Node("Slice", "a", "b", "c", "d"),
            [Graphs.Ints("a", 0, 1), Graphs.Ints("b", 5, 7), Graphs.Ints("c", 0, 2), Graphs.Ints("d", 2, 4)]),
        ["split"] = ([2, 7], new NodeProto("Split", "", ["x", "a"], ["y", "z"]).With("axis", -1), [Graphs.Ints("a", 3, 4)]),
        ["pad"] = ([2, 3, 4], Node("Pad", "a"), [Graphs.Ints("a", 0, 1, 2, 3, 0, 1)]),
        ["resize by scales"] = (
            [1, 2, 3, 5], Node("Resize", "", "a").With("mode", "nearest"), [TensorData.Create<float>("a", [4], [1, 1, 2, 1.5f])]),
        ["resize by sizes"] = ([1, 2, 3, 5], Node("Resize", "", "", "a"), [Graphs.Ints("a", 1, 2, 7, 4)]),
        ["expand"] = ([2, 1, 3], Node("Expand", "a"), [Graphs.Ints("a", 4, 1, 5, 1)]),
        ["trilu"] = ([2, 3, 3], Node("Trilu"), []),
        ["quantize"] = ([2, 3], Node("QuantizeLinear", "w"), [TensorData.Scalar("w", 0.1f)]),
    };

    [Theory, MemberData(nameof(Cases))]
    public void An_operator_has_the_shape_that_ONNX_Runtime_computes(string name)
    {
        (long[] input, NodeProto node, TensorProto[] constants) = CaseTable[name];
        OnnxModel model = Graphs.Of([.. input.Select(d => (Dim)d)], [], [node], constants);
        TensorInfo inferred = ShapeInference.Infer(model)["y"];
        model.Graph.Outputs[0] = inferred.ToValueInfo("y");
        int count = (int)input.Aggregate(1L, (a, b) => a * b);
        (_, int[] shape) = Oracle.Run(model, Oracle.Uniform(1, count, 0, 1), [.. input.Select(d => (int)d)])["y"];
        Assert.Equal(shape, inferred.Shape.Select(d => (int)d.Value!));
    }

    [Fact]
    public void A_symbol_goes_through_reshapes()
    {
        Assert.Equal("float[N, 12]", Reshaped(["N", 3, 4], 0, -1));
        Assert.Equal("float[N, 12]", Reshaped(["N", 3, 4], -1, 12));
        Assert.Equal("float[?, 6]", Reshaped(["N", 3, 4], -1, 6));
        Assert.Equal("float[N, 4, 3]", Reshaped(["N", 3, 4], 0, 4, 3));

        static string Reshaped(Dim[] input, params long[] shape) =>
            ShapeInference.Infer(Graphs.Of(input, [], [Node("Reshape", "s")], [Graphs.Ints("s", shape)]))["y"].ToString();
    }

    [Fact]
    public void Shapes_that_a_graph_computes_are_followed()
    {
        NodeProto[] nodes =
        [
            new("Shape", "", ["x"], ["shape"]),
            new("Gather", "", ["shape", "zero"], ["batch"]),
            new NodeProto("Shape", "", ["x"], ["middle"]).With("start", 1).With("end", -1),
            new("Unsqueeze", "", ["batch", "zeros"], ["batch1"]),
            new NodeProto("Concat", "", ["batch1", "middle", "heads"], ["wanted"]).With("axis", 0),
            new("Reshape", "", ["x", "wanted"], ["y"]),
            new NodeProto("Concat", "", ["middle", "middle"], ["square"]).With("axis", 0),
            new("ConstantOfShape", "", ["square"], ["mask"]),
            new("Mul", "", ["shape", "one"], ["same"]),
            new("Slice", "", ["same", "zeros", "minus"], ["front"]),
            new NodeProto("Concat", "", ["front", "twelve"], ["flat"]).With("axis", 0),
            new("Expand", "", ["column", "flat"], ["expanded"]),
        ];
        OnnxModel model = Graphs.Of(["N", "T", 12], ["N", "T", 3, 4], nodes,
        [
            TensorData.Scalar("zero", 0L), TensorData.Scalar("one", 1L), Graphs.Ints("zeros", 0), Graphs.Ints("minus", -1),
            Graphs.Ints("heads", 3, -1), Graphs.Ints("twelve", 12), Graphs.Random("column", 1, 1, 1, 1),
        ]);
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        Assert.Equal("float[N, T, 3, 4]", shapes["y"].ToString());
        Assert.Equal("float[T, T]", shapes["mask"].ToString());
        Assert.Equal("float[N, T, 12]", shapes["expanded"].ToString());
        OnnxModel all = GraphSlicer.WithOutputs(model, ["mask", "expanded"]);
        Dictionary<string, (float[], int[] Shape)> actual = Oracle.Run(all, Oracle.Uniform(1, 120, 0, 1), [2, 5, 12]);
        Assert.Equal([2, 5, 3, 4], actual["y"].Shape);
        Assert.Equal([5, 5], actual["mask"].Shape);
        Assert.Equal([2, 5, 12], actual["expanded"].Shape);
    }

    [Fact]
    public void An_operator_without_a_rule_leaves_its_results_unknown_and_nothing_else()
    {
        OnnxModel model = Graphs.Of(
            [1, 4, 8, 8], [1],
            [
                new NodeProto("Conv", "a", ["x", "w"], ["a"]), new NodeProto("Mystery", "m", ["a"], ["b"], "some.domain"),
                new NodeProto("Relu", "r", ["b"], ["c"]), new NodeProto("Conv", "d", ["c", "w"], ["d"]), Node("Shape", "d"),
            ],
            [Graphs.Random("w", 1, 4, 4, 1, 1)]);
        model.Nodes[^1].Inputs[0] = "d";
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        Assert.Equal("float[1, 4, 8, 8]", shapes["a"].ToString());
        Assert.False(shapes["b"].HasShape);
        Assert.Equal("of unknown shape", shapes["b"].ToString());
        Assert.Equal("float[?, 4, ?, ?]", shapes["c"].ToString()); // what the convolution behind it demands
        Assert.Equal("float[?, 4, ?, ?]", shapes["d"].ToString());
        Assert.Equal("int64[4]", shapes["y"].ToString());
        model.Graph.ValueInfos.Add(ValueInfoProto.Tensor("b", OnnxType.Float, [1, 4, 8, 8]));
        Assert.Equal("float[1, 4, 8, 8]", ShapeInference.Infer(model)["d"].ToString()); // what the file itself says
    }

    [Fact]
    public void A_shape_that_only_a_run_gives_still_has_a_rank()
    {
        OnnxModel model = Graphs.Of(
            [2, 6], [1, 1, 1],
            [
                new NodeProto("NonZero", "n", ["x"], ["n"]), new NodeProto("Shape", "s", ["n"], ["s"]),
                new NodeProto("Concat", "c", ["s", "k"], ["c"]) , new NodeProto("Reshape", "y", ["x", "c"], ["y"]),
            ],
            [Graphs.Ints("k", -1)]);
        model.Nodes[2].With("axis", 0);
        Assert.Equal(3, ShapeInference.Infer(model)["y"].Rank);
    }

    [Fact]
    public void Contradictions_name_the_node()
    {
        Assert.Contains("3 channels", Message([1, 3, 8, 8], Node("Conv", "w"), Graphs.Random("w", 1, 4, 2, 3, 3)));
        Assert.Contains("larger than the padded input", Message([1, 2, 2, 2], Node("Conv", "w"), Graphs.Random("w", 1, 4, 2, 3, 3)));
        Assert.Contains("inner sizes", Message([2, 3], Node("MatMul", "w"), Graphs.Random("w", 1, 4, 5)));
        Assert.Contains("does not divide", Message([2, 3], Node("Reshape", "s"), Graphs.Ints("s", -1, 4)));
        Assert.Contains("broadcast", Message([2, 3], Node("Add", "w"), Graphs.Random("w", 1, 2, 4)));

        static string Message(long[] input, NodeProto node, TensorProto constant) =>
            Assert.Throws<OnnxException>(
                () => ShapeInference.Infer(Graphs.Of([.. input.Select(d => (Dim)d)], [], [node], [constant]))).Message;
    }

    private static NodeProto Node(string op, params string[] constants) => new(op, "", ["x", .. constants], ["y"]);
}
