using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Tests.Passes.Pack;

public sealed class PackingPassTests
{
    [Theory]
    [InlineData("fashion-cnn", "1:16")]
    [InlineData("fashion-cnn", "4:64")]
    [InlineData("fashion-cnn", "1:8/out")]
    [InlineData("fashion-cnn", "2:16@strided")]
    [InlineData("fashion-cnn", "1:16x2")]
    [InlineData("mlp", "1:16")]
    [InlineData("mlp", "3:100")]
    public void Packed_weights_are_the_sparse_weights_bit_for_bit(string network, string pattern)
    {
        OnnxModel sparse = Graphs.Sparse(network, 3, pattern);
        PackingResult result = PackingPass.Pack(sparse, ComplementaryPattern.Parse(pattern));
        BatchNormFolding.Fold(sparse);
        Dictionary<string, WeightLayer> layers = WeightLayers.Find(sparse).ToDictionary(l => l.Name);
        int packed = 0;
        foreach (NodeProto node in result.Model.Nodes.Where(PackedWeights.IsPacked))
        {
            var tensor = (PackedTensor<float>)PackedWeights.Read(result.Model, node);
            Assert.Equal(layers[node.Name].GetWeights(), Packer.Unpack(tensor));
            LayerPlan report = Assert.Single(result.Layers, l => l.Name == node.Name);
            Assert.Equal(tensor.ByteCount, report.PackedBytes);
            Assert.Null(report.DenseReason);
            packed++;
        }

        Assert.Equal(result.Layers.Count(l => l.Pattern is not null), packed);
        Assert.True(packed >= 2);
        // And so after a file.
        Assert.Equal(result.Model.ToBytes(), OnnxModel.Parse(result.Model.ToBytes()).ToBytes());
    }

    [Theory]
    [InlineData("fashion-cnn", "1:16")]
    [InlineData("fashion-cnn", "1:8/out")]
    [InlineData("mlp", "4:64")]
    public void The_packed_network_unpacked_computes_what_the_sparse_one_computes(string network, string pattern)
    {
        OnnxModel sparse = Graphs.Sparse(network, 4, pattern);
        OnnxModel packed = PackingPass.Pack(sparse, ComplementaryPattern.Parse(pattern)).Model;
        AssertSame(sparse, packed, Oracle.Images(5, 3), [3, 1, 28, 28], "logits");
    }

    [Fact]
    public void Fashion_cnn_has_one_transpose_and_fused_epilogues()
    {
        OnnxModel packed = PackingPass.Pack(Graphs.Sparse("fashion-cnn", 3, "1:16"), ComplementaryPattern.Parse("1:16")).Model;
        Assert.Equal(
            ["Conv stem", "Relu stem.relu", "Transpose stem.relu.output.to_nhwc", "PackedConv down1", "PackedConv down2",
                "PackedConv block1.conv1", "PackedConv block1.conv2", "GlobalAveragePoolNhwc pool", "Gemm head"],
            packed.Nodes.Select(n => $"{n.OpType} {n.Name}"));
        Assert.All(packed.Nodes.Where(PackedWeights.IsPacked), n => Assert.Equal("relu", n.GetString("activation")));
        NodeProto last = packed.FindNode("block1.conv2")!;
        Assert.Equal(packed.FindNode("down2")!.Outputs[0], last.Inputs[4]);
        Assert.Equal(1, packed.OpsetVersion(OperatorSet.Domain));
        Assert.Equal("1:16", packed.FindMetadata(LayerPatterns.CommonMetadata));
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(packed);
        Assert.Equal("float[N, 4, 4, 128]", shapes[last.Outputs[0]].ToString());
        Assert.Equal("float[N, 10]", shapes["logits"].ToString());
    }

    [Fact]
    public void The_report_says_why_a_layer_stays_dense()
    {
        OnnxModel sparse = Graphs.Sparse("fashion-cnn", 3, "1:16");
        var options = new PackingOptions { KeepDense = new Dictionary<string, string> { ["down1"] = "asked for" } };
        PackingResult result = PackingPass.Pack(sparse, ComplementaryPattern.Parse("1:16"), options);
        Assert.Equal("1 channel is fewer than the group, 16", result.Layers[0].DenseReason);
        Assert.Equal("asked for", result.Layers[1].DenseReason);
        Assert.Contains("non-zeros, and pattern 1:16 allows 1", result.Layers[^1].DenseReason);
        Assert.Equal(4 * 64 * 576, result.Layers[1].PackedBytes);
        // 4 bytes a value and half a byte an owner, of one weight in sixteen.
        Assert.Equal(128 * 576 * 4, result.Layers[2].DenseBytes);
        Assert.Equal(128 * 576 / 16 * 9 / 2, result.Layers[2].PackedBytes);
    }

    [Fact]
    public void Weights_that_satisfy_nowhere_are_one_message()
    {
        string message = Assert.Throws<NothingPackedException>(
            () => PackingPass.Pack(Graphs.Trained("fashion-cnn", 3), ComplementaryPattern.Parse("1:16"))).Message;
        Assert.Contains("stem: 1 channel is fewer", message);
        Assert.Contains("block1.conv2: ", message);
        Assert.Throws<OnnxException>(() => PackingPass.Pack(
            Graphs.Sparse("mlp", 3, "1:16"), ComplementaryPattern.Parse("1:16"),
            new PackingOptions { KeepDense = new Dictionary<string, string> { ["no-such"] = "" } }));
    }

    public static TheoryData<string> Cases => [.. CaseTable.Keys];

    // Input [2, 16, 6, 6]; "w" and friends are 16→16 and satisfy 1:16, "d" is dense.
    private static readonly Dictionary<string, (int Transposes, NodeProto[] Nodes)> CaseTable = new()
    {
        ["alone"] = (2, [Conv("x", "w", "y")]),
        ["relu between"] = (2, [Conv("x", "w", "a"), new("Relu", "", ["a"], ["b"]), Conv("b", "w2", "y")]),
        ["clip between"] = (2, [Conv("x", "w", "a"), new("Clip", "", ["a", "lo", "hi"], ["b"]), Conv("b", "w2", "y")]),
        ["sigmoid gate"] = (
            2, [Conv("x", "w", "a"), new("Sigmoid", "", ["a"], ["b"]), new("Mul", "", ["a", "b"], ["c"]), Conv("c", "w2", "y")]),
        ["pool between"] = (
            2, [Conv("x", "w", "a"), new NodeProto("MaxPool", "", ["a"], ["b"]).With("kernel_shape", [3L, 3]).With("pads", [1L, 1, 1, 1]),
            Conv("b", "w2", "y")]),
        ["residual from input"] = (
            2, [Conv("x", "w", "a"), new("Relu", "", ["a"], ["b"]), Conv("b", "w2", "c"), new("Add", "", ["c", "x"], ["e"]), new(
                "Relu", "", ["e"], ["y"])]),
        ["two branches"] = (
            2, [Conv("x", "w", "a"), Conv("x", "w2", "b"), new("Add", "", ["a", "b"], ["c"]), new("Relu", "", ["c"], ["e"]),
            Conv("e", "w3", "y")]),
        ["add of a dense branch"] = (
            3, [Conv("x", "w", "a"), Conv("x", "d", "b"), new("Add", "", ["b", "a"], ["c"]), new("Relu", "", ["c"], ["e"]),
            Conv("e", "w3", "y")]),
        ["constants"] = (
            2, [Conv("x", "w", "a"), new("Mul", "", ["a", "c3"], ["b"]), new("Add", "", ["c4", "b"], ["c"]), new(
                "Add", "", ["c", "one"], ["e"]), Conv("e", "w3", "y")]),
        ["concat"] = (
            2, [Conv("x", "w", "a"), Conv("x", "w2", "b"), new NodeProto("Concat", "", ["a", "b"], ["c"])
            .With("axis", 1), Conv("c", "w32", "y")]),
        ["concat of a dense branch"] = (
            3, [Conv("x", "w", "a"), Conv("x", "d", "b"), new NodeProto("Concat", "", ["b", "a"], ["c"])
            .With("axis", 1), Conv("c", "w32", "y")]),
        ["concat of a constant"] = (
            2, [Conv("x", "w", "a"), new NodeProto("Concat", "", ["a", "two"], ["b"]).With("axis", 1), Conv("b", "w32", "y")]),
        ["order of channels between"] = (2, [Conv("x", "w", "a"), Order("a", "b", 1), new("Relu", "", ["b"], ["c"]), Conv("c", "w2", "y")]),
        ["order of channels, two readers"] = (
            2, [Conv("x", "w", "a"), Order("a", "b", -3), Conv("b", "w2", "c"), new("Add", "", ["a", "c"], ["y"])]),
        ["order of pixels between"] = (4, [Conv("x", "w", "a"), Order("a", "b", 2), Conv("b", "w2", "y")]),
        ["two readers"] = (
            2, [Conv("x", "w", "a"), Conv("a", "w2", "b"), new NodeProto("MaxPool", "", ["a"], ["c"]).With("kernel_shape", [1L, 1]), new(
                "Add", "", ["b", "c"], ["y"])]),
        ["pool to a head"] = (
            1, [Conv("x", "w", "a"), new("GlobalAveragePool", "", ["a"], ["b"]), new("Flatten", "", ["b"], ["c"]), new(
                "Gemm", "", ["c", "g", "bias"], ["y"])]),
        ["pool reshaped"] = (
            1, [Conv("x", "w", "a"), new("GlobalAveragePool", "", ["a"], ["b"]), new("Relu", "", ["b"], ["c"]), new(
                "Reshape", "", ["c", "rows"], ["e"]), new("MatMul", "", ["e", "g"], ["f"]), new("Add", "", ["f", "bias"], ["y"])]),
        ["pool reshaped to other rows"] = (
            1, [Conv("x", "w", "a"), new("GlobalAveragePool", "", ["a"], ["b"]), new("Reshape", "", ["b", "halves"], ["c"]), new(
                "Relu", "", ["c"], ["y"])]),
        ["pool is the output"] = (1, [Conv("x", "w", "a"), new("GlobalAveragePool", "", ["a"], ["y"])]),
        ["pool flattened to the output"] = (
            1, [Conv("x", "w", "a"), new("GlobalAveragePool", "", ["a"], ["b"]), new("Flatten", "", ["b"], ["y"])]),
        ["strided with bias and groups"] = (
            2, [new NodeProto("Conv", "", ["x", "wg", "bias32"], ["y"]).With("group", 1).With("strides", [2L, 1])
            .With("pads", [0L, 1, 2, 1]).With("dilations", [1L, 2])]),
        ["same padding"] = (2, [new NodeProto("Conv", "", ["x", "w"], ["y"]).With("auto_pad", "SAME_UPPER").With("strides", [2L, 2])]),
        ["average pool between"] = (
            2, [Conv("x", "w", "a"), new NodeProto("AveragePool", "", ["a"], ["b"]).With("kernel_shape", [3L, 2]).With("strides", [2L, 1])
            .With("auto_pad", "SAME_LOWER"), Conv("b", "w2", "y")]),
        ["maximum with indices"] = (
            4, [Conv("x", "w", "a"), new NodeProto("MaxPool", "", ["a"], ["b", "i"]).With("kernel_shape", [2L, 2]), Conv("b", "w2", "y")]),
        ["depthwise between"] = (
            2, [Conv("x", "w", "a"), new NodeProto("Conv", "", ["a", "depth"], ["b"]).With("group", 16).With("pads", [1L, 0, 1, 2])
            .With("strides", [1L, 2]), new("Clip", "", ["b", "lo", "hi"], ["c"]), Conv("c", "w2", "y")]),
        ["split and concat"] = (
            2, [Conv("x", "w", "a"), new NodeProto("Split", "", ["a", "parts"], ["b", "c"]).With("axis", 1), new("Relu", "", ["b"], ["e"]),
            new NodeProto("Concat", "", ["c", "e"], ["f"]).With("axis", 1), Conv("f", "w2", "y")]),
        ["pad between"] = (2, [Conv("x", "w", "a"), new("Pad", "", ["a", "pads"], ["b"]), Conv("b", "w2", "y")]),
        ["upsampled by scales"] = (
            2, [Conv("x", "w", "a"), new NodeProto("Resize", "", ["a", "", "scales"], ["b"]).With("mode", "nearest"),
            Conv("b", "w2", "y")]),
        ["upsampled by sizes"] = (
            2, [Conv("x", "w", "a"), new NodeProto("Resize", "", ["a", "", "", "sizes"], ["b"]).With("mode", "nearest"),
            Conv("b", "w2", "y")]),
        ["upsampled linearly"] = (
            4, [Conv("x", "w", "a"), new NodeProto("Resize", "", ["a", "", "scales"], ["b"]).With("mode", "linear"), Conv("b", "w2", "y")]),
        ["output read inside"] = (3, [Conv("x", "w", "y"), Conv("y", "w2", "z"), Conv("z", "d", "q")]),
    };

    [Theory, MemberData(nameof(Cases))]
    public void A_region_computes_the_same_with_few_transposes(string name)
    {
        (int transposes, NodeProto[] nodes) = CaseTable[name];
        TensorProto[] constants =
        [
            Graphs.Random("w", 1, 16, 16, 3, 3), Graphs.Random("w2", 2, 16, 16, 3, 3), Graphs.Random("w3", 3, 16, 16, 3, 3),
                Graphs.Random("d", 4, 16, 16, 3, 3),
            Graphs.Random("w32", 5, 16, 32, 3, 3), Graphs.Random("wg", 6, 32, 16, 3, 3), Graphs.Random("g", 7, 16, 4),
                Graphs.Random("bias", 8, 4), Graphs.Random("bias32", 9, 32),
            Graphs.Random("c3", 10, 16, 1, 1), Graphs.Random("c4", 11, 1, 16, 6, 6), Graphs.Random("two", 14, 2, 16, 6, 6),
                Graphs.Ints("rows", -1, 16), Graphs.Ints("halves", -1, 8),
            Graphs.Ints("order1", [.. Enumerable.Range(0, 16).Select(i => (i * 5 + 3) % 16L)]),
                Graphs.Ints("order-3", [.. Enumerable.Range(0, 16).Select(i => 15L - i)]), Graphs.Ints("order2", 5, 3, 1, 0, 2, 4),
            Graphs.Random("depth", 13, 16, 1, 3, 3), Graphs.Ints("parts", 6, 10), Graphs.Ints("pads", 0, 0, 1, 2, 0, 0, 3, 0),
                Graphs.Ints("sizes", 2, 16, 9, 12),
            TensorData.Create<float>("scales", [4], [1, 1, 2, 1.5f]),
            TensorData.Scalar("lo", -0.5f), TensorData.Scalar("hi", 0.5f), TensorData.Scalar("one", 1f),
        ];
        OnnxModel model = Graphs.Of(["N", 16, 6, 6], [], [.. nodes.Select(n => Copy(n))], constants);
        model.RemoveUnusedInitializers();
        model.Graph.Outputs.Clear();
        foreach (string output in new[] { "y", "q" }.Where(o => model.FindProducer(o) is not null))
            model.Graph.Outputs.Add(ShapeInference.Infer(model)[output].ToValueInfo(output));
        var pattern = ComplementaryPattern.Parse("1:16");
        foreach (WeightLayer layer in WeightLayers.Find(model).Where(l => l.WeightName is not ("d" or "g" or "depth")))
        {
            float[] weights = layer.GetWeights();
            bool[] mask = Projection.Project(weights, new CellLayout(pattern, layer.Shape));
            layer.SetWeights([.. weights.Select((w, i) => mask[i] ? w : 0)]);
        }

        OnnxModel packed = PackingPass.Pack(model, pattern).Model;
        Assert.Equal(transposes, packed.Nodes.Count(n => n.OpType == "Transpose"));
        foreach (ValueInfoProto output in model.Outputs)
            AssertSame(model, packed, Oracle.Uniform(12, 2 * 16 * 36, -1, 1), [2, 16, 6, 6], output.Name);
    }

    private static NodeProto Order(string input, string output, int axis) =>
        new NodeProto("Gather", "", [input, $"order{axis}"], [output]).With("axis", axis);

    public static TheoryData<string> MatrixCases => [.. MatrixTable.Keys];

    // Input [2, 3, 16]; "w" is [16, 32], "w2" [32, 16], "t" [32, 16] for transB.
    private static readonly Dictionary<string, (int Rank, string[] Operators, NodeProto[] Nodes)> MatrixTable = new()
    {
        ["matmul bias relu"] = (
            3, ["PackedGemm"], [new("MatMul", "", ["x", "w"], ["a"]), new("Add", "", ["b32", "a"], ["b"]), new("Relu", "", ["b"], ["y"])]),
        ["matmul residual"] = (
            3, ["PackedGemm", "PackedGemm"],
            [new("MatMul", "", ["x", "w"], ["a"]), new("MatMul", "", ["a", "w2"], ["b"]), new("Add", "", ["x", "b"], ["y"])]),
        ["matmul without epilogue"] = (
            3, ["PackedGemm", "Sigmoid"], [new("MatMul", "", ["x", "w"], ["a"]), new("Sigmoid", "", ["a"], ["y"])]),
        ["matmul on a matrix"] = (2, ["PackedGemm"], [new("MatMul", "", ["x", "w"], ["a"]), new("Add", "", ["a", "b32"], ["y"])]),
        ["gemm alpha beta"] = (
            2, ["PackedGemm"], [new NodeProto("Gemm", "", ["x", "w", "b32"], ["y"]).With("alpha", 0.5f).With("beta", -2f)]),
        ["gemm transB, bias of rank 2"] = (
            2, ["PackedGemm", "Relu", "Add"],
            [new NodeProto("Gemm", "", ["x", "t", "b1x32"], ["a"]).With("transB", 1), new("Relu", "", ["a"], ["b"]), new(
                "Add", "", ["a", "b"], ["y"])]),
        ["gemm with one number as bias"] = (2, ["PackedGemm"], [new("Gemm", "", ["x", "w", "one"], ["y"])]),
        ["relu before the add"] = (
            2, ["PackedGemm", "PackedGemm", "Add"],
            [new("Gemm", "", ["x", "w"], ["a"]), new("Relu", "", ["a"], ["b"]), new("Gemm", "", ["b", "w2"], ["c"]), new(
                "Relu", "", ["c"], ["d"]), new("Add", "", ["d", "x"], ["y"])]),
    };

    [Theory, MemberData(nameof(MatrixCases))]
    public void A_matrix_product_is_packed_with_its_epilogue(string name)
    {
        (int rank, string[] operators, NodeProto[] nodes) = MatrixTable[name];
        TensorProto[] constants =
        [
            Graphs.Random("w", 1, 16, 32), Graphs.Random("w2", 2, 32, 16), Graphs.Random("t", 3, 32, 16),
            Graphs.Random("b32", 4, 32), Graphs.Random("b1x32", 5, 1, 32), TensorData.Scalar("one", 1f),
        ];
        int[] shape = rank == 3 ? [2, 3, 16] : [6, 16];
        OnnxModel model = Graphs.Of(["N", .. shape[1..].Select(d => (Dim)d)], [], [.. nodes.Select(Copy)], constants);
        model.RemoveUnusedInitializers();
        model.Graph.Outputs[0] = ShapeInference.Infer(model)["y"].ToValueInfo("y");
        Graphs.Project(model, ComplementaryPattern.Parse("2:16"));
        OnnxModel packed = PackingPass.Pack(model, ComplementaryPattern.Parse("2:16")).Model;
        Assert.Equal(operators, packed.Nodes.Select(n => n.OpType));
        AssertSame(model, packed, Oracle.Uniform(12, 96, -1, 1), shape, "y");
    }

    private static void AssertSame(OnnxModel expected, OnnxModel packed, float[] input, int[] shape, string output)
    {
        (float[] want, int[] wantShape) = Oracle.Run(expected, input, shape)[output];
        (float[] got, int[] gotShape) = Oracle.Run(UnpackingPass.Unpack(packed), input, shape)[output];
        Assert.Equal(wantShape, gotShape);
        Oracle.AssertClose(want, got, 2e-5f);
    }

    private static NodeProto Conv(string x, string w, string y) => new NodeProto("Conv", "", [x, w], [y]).With("pads", [1L, 1, 1, 1]);

    // Tests share the table; passes write into nodes.
    private static NodeProto Copy(NodeProto node) => ProtoBuf.Serializer.DeepClone(node);
}
