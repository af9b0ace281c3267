using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Pruning;
using Dovetail.Tests.Kernels;
using static Dovetail.Runtime.Tests.LayerGraphs;

namespace Dovetail.Runtime.Tests;

/// <summary>Graphs that are legal, or that ONNX Runtime runs, and that a pass can easily get wrong: packed they compute the same.</summary>
public sealed class AwkwardGraphTests
{
    private static readonly ComplementaryPattern s_pattern = ComplementaryPattern.Parse("1:8");

    [Theory]
    [InlineData("transA")]
    [InlineData("axis")]
    [InlineData("alpha")]
    [InlineData("beta")]
    public void A_quantized_Gemm_with_what_the_packed_one_lacks_stays_dense_and_says_why(string attribute)
    {
        OnnxModel model = QuantizedGemm(attribute);
        var refused = Assert.Throws<NothingPackedException>(() => PackingPass.Pack(
            model, s_pattern, new PackingOptions { AllowLarger = true }));
        Assert.Contains(
            attribute switch { "transA" => "transposed", "axis" => "scales along axis 1", _ => "alpha or beta" },
            Assert.Single(refused.Layers).DenseReason!, StringComparison.Ordinal);
        PackingResult packed = PackingPass.Pack(QuantizedGemm("none"), s_pattern, new PackingOptions { AllowLarger = true });
        Assert.Single(packed.Layers, layer => layer.IsPacked);
    }

    [Fact]
    public void What_a_body_makes_hides_what_stands_around_it_under_the_same_name()
    {
        // a loop whose state is called as an initializer of the graph around it: it multiplies the state, not the initializer
        var body = new GraphProto { Name = "body" };
        body.Inputs.Add(ValueInfoProto.Tensor("i", OnnxType.Int64, []));
        body.Inputs.Add(ValueInfoProto.Tensor("go", OnnxType.Bool, []));
        body.Inputs.Add(ValueInfoProto.Tensor("w", OnnxType.Float, [32, 32]));
        body.Nodes.AddRange([N("Identity", "go", "on"), N("Mul", "w w", "next"), N("MatMul", "x w", "product")]);
        body.Outputs.Add(ValueInfoProto.Tensor("on", OnnxType.Bool, []));
        body.Outputs.Add(ValueInfoProto.Tensor("next", OnnxType.Float, [32, 32]));
        body.Outputs.Add(ValueInfoProto.Tensor("product", OnnxType.Float, [5, 32]));
        var loop = new NodeProto("Loop", "loop", ["three", "", "start"], ["last", "y"]);
        loop.Attributes.Add(new AttributeProto { Name = "body", G = body, Type = AttributeType.Graph });
        OnnxModel model = Model(
            [5, 32], 17, [N("MatMul", "x w", "first", "MatMul_first"), N("Add", "first zero", "used"), loop],
            Random("w", 32, 32), Random("start", 32, 32), TensorData.Scalar("zero", 0f), TensorData.Create<long>("three", [], [3]));
        model.Graph.Outputs.Add(ValueInfoProto.Tensor("used", OnnxType.Float, [5, 32]));
        Assert.Equal(["MatMul_first"], WeightLayers.Find(model).Select(layer => layer.Name));
        AssertSamePacked(model, packed: 1);
    }

    [Fact]
    public void A_branch_may_call_its_output_as_the_If_does()
    {
        NodeProto choose = N("If", "c");
        foreach ((string name, string weights) in ((string, string)[])[("then_branch", "v"), ("else_branch", "w")])
        {
            var branch = new GraphProto { Name = name };
            branch.Nodes.Add(N("MatMul", $"x {weights}"));
            branch.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, [5, 32]));
            choose.Attributes.Add(new AttributeProto { Name = name, G = branch, Type = AttributeType.Graph });
        }

        AssertSamePacked(
            Model(
                [5, 32], 17, [N("ReduceSum", "x", "s").With("keepdims", 0), N("Greater", "s zero", "c"), choose],
                Random("w", 32, 32), Random("v", 32, 32), TensorData.Scalar("zero", 0f)),
            packed: 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Weights_that_two_branches_read_are_packed_and_counted_once(bool behindTranspose)
    {
        NodeProto choose = N("If", "c");
        foreach (string name in (string[])["then_branch", "else_branch"])
        {
            var branch = new GraphProto { Name = name };
            branch.Nodes.Add(N("MatMul", behindTranspose ? "x t" : "x w", $"{name}_y", $"layer_{name}"));
            branch.Outputs.Add(ValueInfoProto.Tensor($"{name}_y", OnnxType.Float, [5, 32]));
            choose.Attributes.Add(new AttributeProto { Name = name, G = branch, Type = AttributeType.Graph });
        }

        List<NodeProto> nodes = [N("ReduceSum", "x", "s").With("keepdims", 0), N("Greater", "s zero", "c"), choose];
        if (behindTranspose)
            nodes.Insert(0, N("Transpose", "w", "t").With("perm", [1L, 0]));
        OnnxModel model = OnnxModel.Parse(
            Model([5, 32], 17, [.. nodes], Random("w", 32, 32), TensorData.Scalar("zero", 0f)).ToBytes());
        AssertSamePacked(model, packed: 2);
        OnnxModel sparse = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model;
        PackingResult packed = PackingPass.Pack(sparse, s_pattern, new PackingOptions { AllowLarger = true });
        Assert.Single(packed.Model.Graph.Initializers, tensor => tensor.Name.EndsWith(".weight_packed", StringComparison.Ordinal));
        Assert.Equal(4 * 32 * 32, packed.Plan.DenseBytes);
        Assert.Equal(packed.Plan.Layers[0].PackedBytes, packed.Plan.PackedBytes);
        Assert.Equal([null, packed.Plan.Layers[0].Name], packed.Plan.Layers.Select(layer => layer.SharedWith));
        Assert.All(WeightLayers.Find(sparse), layer => Assert.Equal(32 * 32 / 8, layer.GetWeights().Count(weight => weight != 0)));
    }

    [Fact]
    public void One_matrix_that_is_read_both_ways_is_packed_for_each()
    {
        var weights = new float[64 * 64];
        for (int i = 0; i < 64; i++)
            weights[i * 64 + (i + 4) % 64] = 1 + i; // of one pattern along its rows, and along its columns
        OnnxModel model = Model(
            [5, 64], 17, [N("MatMul", "x w", "a"), N("Relu", "a", "r"), N("Gemm", "r w").With("transB", 1)],
            TensorData.Create<float>("w", [64, 64], weights));
        PackingResult packed = PackingPass.Pack(model, s_pattern, new PackingOptions { AllowLarger = true });
        Assert.Equal(2, packed.Layers.Count(layer => layer.IsPacked));
        float[] input = RandomLayer.Floats(5 * 64, new Random(1));
        AssertClose(Run(model, input, 5, 64), Run(packed.Model, input, 5, 64));

        static float[] Run(OnnxModel model, float[] input, params long[] dimensions)
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
            return session.Run(input, dimensions);
        }
    }

    [Fact]
    public void Weights_that_no_layer_reads_too_stay_as_they_are()
    {
        OnnxModel model = Model(
            [5, 32], 17,
            [N("MatMul", "x w", "a", "tied"), N("Gather", "w i", "e", "embed"), N("Add", "a e", "b"), N("MatMul", "b v", "y", "own")],
            Random("w", 32, 32), Random("v", 32, 32), TensorData.Create<long>("i", [1], [3]));
        PruningResult pruned = PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true });
        Assert.Equal(["own"], pruned.Layers.Where(layer => layer.Pattern is not null).Select(layer => layer.Name));
        Assert.Equal("Gather 'embed' reads the same weights and stays dense", pruned.Layers[0].Dense!.Words);
        Assert.DoesNotContain(0f, pruned.Model.FindInitializer("w")!.ToFloats());
    }

    [Fact]
    public void Weights_that_the_head_reads_too_stay_dense_with_it()
    {
        OnnxModel model = Model(
            [5, 32], 17, [N("MatMul", "x w", "a", "first"), N("MatMul", "a v", "b", "second"), N("MatMul", "b w", "y", "last")],
            Random("w", 32, 32), Random("v", 32, 32));
        PruningResult pruned = PruningPass.Prune(model, s_pattern);
        Assert.Equal(["first", "last"], pruned.Layers.Where(layer => layer.Pattern is null).Select(layer => layer.Name));
        Assert.Equal("last reads the same weights and stays dense", pruned.Layers[0].Dense!.Words);
        Assert.All(
            WeightLayers.Find(pruned.Model).Where(layer => layer.Name != "second"), layer => Assert.DoesNotContain(0f, layer.GetWeights()));
        OnnxModel alone = Model(
            [5, 32], 17, [N("MatMul", "x w", "a", "first"), N("MatMul", "a w", "y", "last")], Random("w", 32, 32));
        Assert.Contains(
            "first: last reads the same weights and stays dense",
            Assert.Throws<PatternException>(() => PruningPass.Prune(alone, s_pattern)).Message);
    }

    [Fact]
    public void Layers_in_branches_are_unpacked_too()
    {
        NodeProto choose = N("If", "c");
        foreach ((string name, string weights) in ((string, string)[])[("then_branch", "v"), ("else_branch", "w")])
        {
            var branch = new GraphProto { Name = name };
            branch.Nodes.Add(N("MatMul", $"x {weights}", name));
            branch.Outputs.Add(ValueInfoProto.Tensor(name, OnnxType.Float, [5, 32]));
            choose.Attributes.Add(new AttributeProto { Name = name, G = branch, Type = AttributeType.Graph });
        }

        OnnxModel sparse = Prune(Model(
            [5, 32], 17, [N("ReduceSum", "x", "s").With("keepdims", 0), N("Greater", "s zero", "c"), choose],
            Random("w", 32, 32), Random("v", 32, 32), TensorData.Scalar("zero", 0f)));
        OnnxModel packed = PackingPass.PackDeclared(sparse, new PackingOptions { AllowLarger = true }).Model;
        Assert.Equal(2, PackedWeights.Nodes(packed).Count());
        OnnxModel unpacked = UnpackingPass.Unpack(packed);
        Assert.Empty(PackedWeights.Nodes(unpacked));
        AssertClose(Run(sparse), Run(unpacked));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    public void Products_of_old_operator_sets_stay_what_those_have(int opset)
    {
        AssertSamePacked(Model([5, 32], opset, [N("MatMul", "x w")], Random("w", 32, 24)), packed: 1);
        AssertSamePacked(Model([5, 32], opset, [N("Gemm", "x w c")], Random("w", 32, 24), Random("c", 5, 24)), packed: 1);
        AssertSamePacked(
            Model([5, 32], opset, [N("Gemm", "x w c").With("beta", 0f)], Random("w", 32, 24), Random("c", 24)), packed: 1);
    }

    [Fact]
    public void A_product_of_integers_is_no_Gemm()
    {
        var integers = TensorData.Create<int>("n", [24, 24], [.. Enumerable.Range(0, 24 * 24)]);
        OnnxModel model = Model(
            [5, 32], 17,
            [N("MatMul", "x w", "a"), N("Cast", "a", "b").With("to", (long)OnnxType.Int32), N("MatMul", "b n", "d"),
                N("Cast", "d").With("to", (long)OnnxType.Float)],
            Random("w", 32, 24), integers);
        AssertSamePacked(model, packed: 1);
    }

    [Fact]
    public void A_weight_that_is_an_output_of_the_graph_keeps_its_value()
    {
        OnnxModel model = Model(
            [1, 16, 6, 6], 17, [N("Conv", "x w", "c"), N("BatchNormalization", "c s s s v")],
            Random("w", 16, 16, 1, 1), Random("s", 16), TensorData.Create<float>("v", [16], [.. Enumerable.Repeat(0.5f, 16)]));
        model.Graph.Outputs.Add(ValueInfoProto.Tensor("w", OnnxType.Float, [16, 16, 1, 1]));
        float[] before = model.FindInitializer("w")!.ToFloats();
        Assert.Equal(1, BatchNormFolding.Fold(model));
        Assert.Equal(before, model.FindInitializer("w")!.ToFloats());
    }

    [Fact]
    public void A_norm_whose_scale_is_computed_is_left_alone()
    {
        AssertSamePacked(
            Model(
                [1, 16, 6, 6], 17, [N("Conv", "x w", "c"), N("Abs", "s", "t"), N("BatchNormalization", "c t s s v")],
                Random("w", 16, 16, 1, 1), Random("s", 16), TensorData.Create<float>("v", [16], [.. Enumerable.Repeat(0.5f, 16)])),
            packed: 1);
    }

    [Fact]
    public void A_constant_on_the_left_of_a_vector_counts_one_column_and_stays_dense()
    {
        OnnxModel model = Model([32], 17, [N("MatMul", "w x")], Random("w", 24, 32));
        Assert.Equal(1, Assert.Single(WeightLayers.Find(model)).Workload.N);
        var refused = Assert.Throws<NothingPackedException>(() => PackingPass.PackDeclared(
            Prune(model), new PackingOptions { AllowLarger = true }));
        Assert.Contains("vector", Assert.Single(refused.Layers).DenseReason!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scalar_behind_a_product_is_no_bias() =>
        AssertSamePacked(
            Model([5, 32], 17, [N("MatMul", "x w", "a"), N("Add", "a b")], Random("w", 32, 1), TensorData.Scalar("b", 2f)), packed: 1);

    [Fact]
    public void Numbers_that_pass_through_floats_are_divided_as_floats() =>
        AssertSamePacked(
            Model(
                [5, 32], 17,
                [N("Cast", "five", "f").With("to", (long)OnnxType.Float), N("Div", "f two", "h"), N("Mul", "h two", "d"),
                    N("Cast", "d", "rows").With("to", (long)OnnxType.Int64), N("Concat", "rows all", "shape").With("axis", 0),
                    N("Reshape", "x shape", "r"), N("MatMul", "r w")],
                TensorData.Create<long>("five", [1], [5]), TensorData.Create<float>("two", [1], [2]),
                TensorData.Create<long>("all", [1], [32]), Random("w", 32, 24)),
            packed: 1);

    [Fact]
    public void A_slice_with_fewer_starts_than_axes_is_named()
    {
        OnnxModel model = Model(
            [5, 32], 17, [N("Slice", "x one ends axes", "s"), N("MatMul", "s w")],
            TensorData.Create<long>("one", [1], [0]), TensorData.Create<long>("ends", [2], [5, 32]),
            TensorData.Create<long>("axes", [2], [0, 1]), Random("w", 32, 24));
        Assert.Contains("starts", Assert.Throws<OnnxException>(() => WeightLayers.Find(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_whose_product_no_number_holds_are_not_known()
    {
        OnnxModel model = Model(
            [2, 1L << 40, 1L << 40], 17, [N("Flatten", "x", "f"), N("MatMul", "z w")], Random("z", 5, 32), Random("w", 32, 24));
        Assert.NotEmpty(WeightLayers.Find(model));
    }

    [Fact]
    public void Every_call_of_a_function_is_seen_or_named()
    {
        const int Calls = 40;
        var function = new FunctionProto { Name = "layer", Domain = "own" };
        function.Inputs.AddRange(["a", "b"]);
        function.Outputs.Add("c");
        function.Nodes.Add(new NodeProto("MatMul", "mm", ["a", "b"], ["c"]));
        function.OpsetImports.Add(new OperatorSetIdProto { Version = 17 });
        ModelProto model = Build(
            [5, 32], 17,
            [.. Enumerable.Range(0, Calls).Select(i => new NodeProto(
                "layer", $"call{i}", [i == 0 ? "x" : $"t{i}", "w"], [i == Calls - 1 ? "y" : $"t{i + 1}"]) { Domain = "own" })],
            [Random("w", 32, 32)]);
        model.Functions.Add(function);
        model.OpsetImports.Add(new OperatorSetIdProto { Domain = "own", Version = 1 });
        Assert.Equal(Calls, WeightLayers.Find(OnnxModel.Parse(new OnnxModel(model).ToBytes())).Count);

        function.OpsetImports[0].Version = 15;
        OnnxModel other = OnnxModel.Parse(new OnnxModel(model).ToBytes());
        Assert.Empty(WeightLayers.Find(other));
        IReadOnlyList<OtherNode> named = WeightLayers.FindOthers(other);
        Assert.Equal(Calls, named.Count);
        Assert.All(named, node => Assert.Contains("operator sets", node.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void Functions_that_call_each_other_twice_take_no_longer_than_their_number()
    {
        ModelProto model = Build([5, 32], 17, [N("MatMul", "x w")], [Random("w", 32, 24)]);
        for (int i = 0; i < 60; i++)
        {
            var function = new FunctionProto { Name = $"f{i}", Domain = "own" };
            function.Inputs.Add("a");
            function.Outputs.Add("c");
            function.Nodes.Add(i == 0 ? new NodeProto("Relu", "r", ["a"], ["c"]) : Call(i - 1, "a", "b"));
            if (i > 0)
                function.Nodes.Add(Call(i - 1, "b", "c"));
            function.OpsetImports.Add(new OperatorSetIdProto { Version = 17 });
            model.Functions.Add(function);
        }

        model.Graph!.Nodes.Insert(0, Call(59, "x", "unused"));
        model.OpsetImports.Add(new OperatorSetIdProto { Domain = "own", Version = 1 });
        Assert.Single(WeightLayers.Find(OnnxModel.Parse(new OnnxModel(model).ToBytes()))); // 2^59 visits would not end

        static NodeProto Call(int function, string input, string output) =>
            new($"f{function}", $"{function}{output}", [input], [output]) { Domain = "own" };
    }

    private static void AssertSamePacked(OnnxModel model, int packed)
    {
        OnnxModel sparse = Prune(model);
        PackingResult result = PackingPass.PackDeclared(sparse, new PackingOptions { AllowLarger = true });
        Assert.Equal(packed, result.Layers.Count(layer => layer.IsPacked));
        AssertClose(Run(sparse), Run(result.Model));
    }

    private static OnnxModel Prune(OnnxModel model) =>
        OnnxModel.Parse(PruningPass.Prune(model, s_pattern, new PruningOptions { Head = true }).Model.ToBytes());

    private static float[] Run(OnnxModel model)
    {
        long[] shape = [.. model.Inputs[0].Type!.Tensor!.Shape!.Dims.Select(d => d.Value!.Value)];
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
        return session.Run(RandomLayer.Floats((int)shape.Aggregate(1L, (a, b) => a * b), new Random(4)), [.. shape.Select(d => (int)d)]);
    }

    private static OnnxModel QuantizedGemm(string attribute)
    {
        var random = new Random(3);
        var weights = new sbyte[32 * 32];
        for (int i = 0; i < weights.Length; i += 8)
            weights[i + random.Next(8)] = (sbyte)random.Next(1, 100); // [outputs, inputs]: one of eight
        NodeProto gemm = N("Gemm", "x2 w2", "g").With("transB", 1);
        if (attribute == "transA")
            gemm.With("transA", 1);
        else if (attribute is not ("none" or "axis"))
            gemm = N("Gemm", "x2 w2 b2", "g").With("transB", 1).With(attribute, 0.5f);
        return Model(
            [32, 32], 17,
            [
                N("QuantizeLinear", "x xs xz", "xq"), N("DequantizeLinear", "xq xs xz", "x2"), N("DequantizeLinear", "w ws wz", "w2"),
                N("DequantizeLinear", "b bs", "b2"), gemm, N("QuantizeLinear", "g ys xz", "yq"), N("DequantizeLinear", "yq ys xz"),
            ],
            TensorData.Scalar("xs", 0.02f), TensorData.Scalar("xz", (byte)128), TensorData.Scalar("ys", 0.1f),
            TensorData.Create<sbyte>("w", [32, 32], weights),
            attribute == "axis" ? TensorData.Create<float>("ws", [32], [.. Enumerable.Repeat(0.01f, 32)]) : TensorData.Scalar("ws", 0.01f),
            attribute == "axis" ? TensorData.Create<sbyte>("wz", [32], new sbyte[32]) : TensorData.Scalar("wz", (sbyte)0),
            TensorData.Create<int>("b", [32], [.. Enumerable.Range(0, 32)]), TensorData.Scalar("bs", 0.02f * 0.01f));
    }

    private static OnnxModel Model(long[] input, int opset, NodeProto[] nodes, params TensorProto[] constants) =>
        new(Build(input, opset, nodes, constants));
}
