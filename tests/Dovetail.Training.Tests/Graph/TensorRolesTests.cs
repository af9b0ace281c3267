using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;
using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;
using static Dovetail.Training.Tests.SmallModels;

namespace Dovetail.Training.Tests.Graph;

/// <summary>What is learned and what stays, by the tensor's name in the graph. No libtorch is needed.</summary>
public sealed class TensorRolesTests
{
    private static readonly (string, long[], float[]) Conv = ("w", [6, 3, 3, 3], Uniform(1, 162)), Dense = ("w", [5, 6], Uniform(1, 30));

    /// <summary>A graph from x of a shape, with the tensor t in it.</summary>
    public static TheoryData<string, long[], NodeProto[], (string, long[], float[])[], TensorUse, bool> Places()
    {
        var data = new TheoryData<string, long[], NodeProto[], (string, long[], float[])[], TensorUse, bool>();
        long[] image = [1, 3, 8, 6], tokens = [1, 4, 5], rows = [2, 5];
        NodeProto conv = Node("Conv", ["x", "w"], "c", Ints("pads", 1, 1, 1, 1)), product = Node("MatMul", ["x", "w"], "c");

        void Add(string name, TensorUse use, long[] shape, long[] dims, NodeProto[] nodes, params (string, long[], float[])[] others) =>
            data.Add(name, shape, nodes, [("t", dims, Uniform(3, dims.Aggregate(1L, (a, b) => a * b), 0.5f, 1.5f)), .. others], use, false);
        void Learned(string name, long[] shape, long[] dims, NodeProto[] nodes, params (string, long[], float[])[] others) =>
            Add(name, TensorUse.Learned, shape, dims, nodes, others);
        void Fixed(string name, long[] shape, long[] dims, NodeProto[] nodes, params (string, long[], float[])[] others) =>
            Add(name, TensorUse.Fixed, shape, dims, nodes, others);
        void Weights(string name, long[] shape, long[] dims, NodeProto[] nodes, params (string, long[], float[])[] others) =>
            data.Add(
                name, shape, nodes, [("t", dims, Uniform(3, dims.Aggregate(1L, (a, b) => a * b))), .. others], TensorUse.Learned, true);

        // Biases and scales.
        Learned("bias of a product", tokens, [6], [product, Node("Add", ["c", "t"], "y")], Dense);
        Learned("bias of a product, in front", tokens, [1, 1, 6], [product, Node("Add", ["t", "c"], "y")], Dense);
        Learned("bias of a convolution", image, [6, 1, 1], [conv, Node("Add", ["c", "t"], "y")], Conv);
        Learned("scale of a convolution, behind an activation", image, [1, 6, 1, 1],
            [conv, Node("Relu", ["c"], "r"), Node("Mul", ["r", "t"], "y")], Conv);
        Learned("scale of pooled channels", image, [6],
            [conv, Node("GlobalAveragePool", ["c"], "p"), Node("Flatten", ["p"], "f"), Node("Mul", ["f", "t"], "y")], Conv);
        Learned("bias of channels that came last", image, [6],
            [conv, Node("Transpose", ["c"], "l", Ints("perm", 0, 2, 3, 1)), Node("Add", ["l", "t"], "y")], Conv);
        Learned("bias behind a mean over pixels", image, [6],
            [conv, Node("ReduceMean", ["c"], "m", Ints("axes", 2, 3), AttributeProto.Of("keepdims", 0)),
            Node("Add", ["m", "t"], "y")], Conv);
        Learned("bias of a residual sum", tokens, [5],
            [Node("MatMul", ["x", "w"], "c"), Node("Add", ["x", "c"], "s"), Node("Add", ["s", "t"], "y")], ("w", [5, 5], Uniform(1, 25)));
        Learned("bias of a Gemm, as a row", rows, [1, 6], [Node("Gemm", ["x", "w", "t"], "y")], Dense);
        Learned("bias of a Gemm", rows, [6], [Node("Gemm", ["x", "w", "t"], "y")], Dense);
        Learned("bias of a Gemm, one number", rows, [1], [Node("Gemm", ["x", "w", "t"], "y")], Dense);
        Learned("bias of a Conv", image, [6], [Node("Conv", ["x", "w", "t"], "y")], Conv);
        Learned("bias that is reshaped first", image, [6],
            [conv, Node("Reshape", ["t", "shape"], "b"), Node("Add", ["c", "b"], "y")], Conv);
        Learned("class token", tokens, [1, 1, 6], [product, Node("Concat", ["t", "c"], "y", AttributeProto.Of("axis", 1))], Dense);
        Learned("a scale of ones", image, [6, 1, 1], [conv, Node("Mul", ["c", "t"], "y")], Conv);

        // Weights.
        Weights("weights of a product", tokens, [5, 6], [Node("MatMul", ["x", "t"], "y")]);
        Weights("weights in front", [5, 7], [6, 5], [Node("MatMul", ["t", "x"], "y")]);
        Weights("weights of one output", rows, [1, 5], [Node("Gemm", ["x", "t"], "y", AttributeProto.Of("transB", 1))]);
        Weights("weights behind a Transpose", tokens, [6, 5], [Node("Transpose", ["t"], "v"), Node("MatMul", ["x", "v"], "y")]);
        Weights("weights less their mean", tokens, [5, 6],
            [Node("ReduceMean", ["t"], "m", Ints("axes", 0)), Node("Sub", ["t", "m"], "v"), Node("MatMul", ["x", "v"], "y")]);
        Weights("weights in an order of channels", tokens, [5, 6], [Node("Gather", ["t", "order"], "v"), Node("MatMul", ["x", "v"], "y")]);
        Weights("weights under a mask", tokens, [5, 6],
            [Node("Mul", ["t", "mask"], "v"), Node("MatMul", ["x", "v"], "y")], ("mask", [5, 6], Mask(30)));

        // Constants.
        Fixed("mean of the input", image, [1, 3, 1, 1], [Node("Sub", ["x", "t"], "n"), Node("Conv", ["n", "w"], "y")], Conv);
        Fixed("standard deviation of the input", image, [3, 1, 1], [Node("Div", ["x", "t"], "n"), Node("Conv", ["n", "w"], "y")], Conv);
        Fixed("shift of the input", image, [1, 3, 1, 1], [Node("Add", ["x", "t"], "n"), Node("Conv", ["n", "w"], "y")], Conv);
        Fixed("scale of the input", image, [1, 3, 1, 1], [Node("Mul", ["x", "t"], "n"), Node("Conv", ["n", "w"], "y")], Conv);
        Fixed("mean of a layer", image, [6, 1, 1], [conv, Node("Sub", ["c", "t"], "y")], Conv);
        Fixed("what a layer is divided by", image, [6, 1, 1], [conv, Node("Div", ["c", "t"], "y")], Conv);
        Fixed("a single number", image, [1], [conv, Node("Mul", ["c", "t"], "y")], Conv);
        Fixed("table of positions", tokens, [1, 4, 6], [product, Node("Add", ["c", "t"], "y")], Dense);
        Fixed("grid of pixels", image, [1, 1, 8, 6], [conv, Node("Add", ["c", "t"], "y")], Conv);
        Fixed("row of pixels, as many as channels", image, [6], [conv, Node("Mul", ["c", "t"], "y")], Conv);
        Fixed("grid beside channels", image, [1, 2, 8, 6], [conv, Node("Concat", ["c", "t"], "y", AttributeProto.Of("axis", 1))], Conv);
        Fixed("scale of pixels as features", image, [288], [conv, Node("Flatten", ["c"], "f"), Node("Mul", ["f", "t"], "y")], Conv);
        Fixed("mask of attention", tokens, [4],
            [product, Node("Transpose", ["c"], "k", Ints("perm", 0, 2, 1)), Node("MatMul", ["c", "k"], "s"),
            Node("Add", ["s", "t"], "y")], Dense);
        Fixed("behind a mean over channels", image, [6, 1, 1],
            [conv, Node("ReduceMean", ["c"], "m", Ints("axes", 1)), Node("Add", ["m", "t"], "y")], Conv);
        Fixed("matrix that a Gemm adds", rows, [2, 6], [Node("Gemm", ["x", "w", "t"], "y")], Dense);
        Fixed("a bias here and a mean there", [1, 6, 8, 8], [6, 1, 1],
            [Node("Sub", ["x", "t"], "n"), Node("Conv", ["n", "w"], "c"), Node("Add", ["c", "t"], "y")],
            ("w", [6, 6, 1, 1], Uniform(1, 36)));
        return data;
    }

    [Theory]
    [MemberData(nameof(Places), DisableDiscoveryEnumeration = true)]
    public void A_tensor_is_what_its_place_and_shape_say(
        string name, long[] shape, NodeProto[] nodes, (string, long[], float[])[] tensors, TensorUse use, bool decayed)
    {
        OnnxModel model = Model([.. shape.Select(d => (Dim)d)], nodes, tensors);
        if (name == "a scale of ones")
            model.FindInitializer("t")!.Write<float>([.. Enumerable.Repeat(1f, 6)]);
        model.Graph.Initializers.Add(TensorData.Create<long>("shape", [3], [6, 1, 1]));
        model.Graph.Initializers.Add(TensorData.Create<long>("order", [5], [4, 3, 2, 1, 0]));
        TrainedTensor found = Decide(model).Single(t => t.Name == "t");
        Assert.True((use, decayed) == (found.Use, found.IsDecayed), $"{name}: {found}");
    }

    [Fact]
    public void A_factor_of_zeros_and_ones_is_a_mask_of_channels()
    {
        OnnxModel model = Model(
            [1, 3, 8, 6], [Node("Conv", ["x", "w"], "c"), Node("Mul", ["c", "m"], "y")], Conv, ("m", [6, 1, 1], Mask(6)));
        TrainedTensor mask = Decide(model).Single(t => t.Name == "m");
        Assert.Equal((TensorUse.Fixed, "a mask of zeros and ones in Mul 'y.node'"), (mask.Use, mask.Reason));
    }

    [Fact]
    public void A_Constant_node_stays_and_statistics_are_updated()
    {
        NodeProto constant = new("Constant", "k.node", [], ["k"]);
        TensorProto value = TensorData.Create<float>("", [6], Uniform(1, 6));
        constant.Attributes.Add(new AttributeProto { Name = "value", Type = AttributeType.Tensor, T = value });
        OnnxModel model = Model([1, 3, 8, 6],
            [constant, Node("Conv", ["x", "w", "k"], "c"), Node("BatchNormalization", ["c", "s", "b", "m", "v"], "y")],
            Conv, ("s", [6], Uniform(2, 6)), ("b", [6], Uniform(3, 6)), ("m", [6], Uniform(4, 6)), ("v", [6], Uniform(5, 6, 1, 2)));
        Assert.Equal(
            [
                ("w", TensorUse.Learned), ("k", TensorUse.Fixed),
                ("s", TensorUse.Learned), ("b", TensorUse.Learned), ("m", TensorUse.Updated), ("v", TensorUse.Updated),
            ],
            Decide(model).Select(t => (t.Name, t.Use)));
        Assert.Equal(["w"], Decide(model).Where(t => t.IsDecayed).Select(t => t.Name));
        Assert.Equal(TensorUse.Learned, Decide(model, train: ["k"]).Single(t => t.Name == "k").Use);
        Assert.Contains("'m' holds running statistics", Assert.Throws<GraphException>(() => Decide(model, freeze: ["m"])).Message);
    }

    [Fact]
    public void Names_overrule_and_say_so()
    {
        OnnxModel model = Model([1, 4, 5], [Node("MatMul", ["x", "w"], "c"), Node("Add", ["c", "b"], "d"), Node("Add", ["d", "p"], "y")],
            Dense, ("b", [6], Uniform(2, 6)), ("p", [1, 4, 6], Uniform(3, 24)));
        Assert.Equal([TensorUse.Learned, TensorUse.Learned, TensorUse.Fixed], Decide(model).Select(t => t.Use));
        IReadOnlyList<TrainedTensor> asked = Decide(model, train: ["p", "b"], freeze: ["w"]);
        Assert.Equal([TensorUse.Fixed, TensorUse.Learned, TensorUse.Learned], asked.Select(t => t.Use));
        Assert.DoesNotContain(asked, t => t.IsDecayed);
        Assert.Equal("frozen as asked; weights of MatMul 'c.node'", asked[0].Reason);
        Assert.Equal("asked for; varies along more than the channels in Add 'y.node'", asked[2].Reason);
        string Refusal(string[] train, string[] freeze) => Assert.Throws<GraphException>(() => Decide(model, train, freeze)).Message;
        Assert.Equal("The model has no tensor 'q' to train; it has w, b, p.", Refusal(["q"], []));
        Assert.Contains("'p' is named to train and to freeze", Refusal(["p"], ["p"]));
    }

    [Fact]
    public void Running_statistics_that_are_something_else_too_are_refused()
    {
        (string, long[], float[])[] tensors = [Conv, ("s", [6], Uniform(2, 6)), ("m", [6], Uniform(4, 6)), ("v", [6], Uniform(5, 6, 1, 2))];
        OnnxModel both = Model(
            [1, 3, 8, 6], [Node("Conv", ["x", "w", "m"], "c"), Node("BatchNormalization", ["c", "s", "s", "m", "v"], "y")], tensors);
        Assert.Equal(
            "'m' is running statistics of BatchNormalization 'y.node' and bias or scale of Conv 'c.node'; it cannot be trained as both.",
            Assert.Throws<GraphException>(() => Decide(both)).Message);
        OnnxModel computed = Model(
            [1, 3, 8, 6],
            [Node("Identity", ["m"], "i"), Node("Conv", ["x", "w"], "c"), Node("BatchNormalization", ["c", "s", "s", "i", "v"], "y")],
            tensors);
        Assert.Contains("its running statistics 'i' are computed", Assert.Throws<GraphException>(() => Decide(computed)).Message);
    }

    /// <summary>The networks that train today learn all that they hold.</summary>
    [Theory]
    [InlineData("mlp")]
    [InlineData("fashion-cnn")]
    [InlineData("resnet20")]
    public void The_zoo_learns_all_its_parameters(string name)
    {
        IReadOnlyList<TrainedTensor> tensors = Decide(ZooModels.Create(name, 1));
        Assert.NotEmpty(tensors);
        Assert.DoesNotContain(tensors, t => t.Use == TensorUse.Fixed);
        Assert.All(tensors, t => Assert.Equal(t.Name.EndsWith("weight", StringComparison.Ordinal) && t.Dims.Count >= 2, t.IsDecayed));
    }

    private static float[] Mask(int count) => [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? 0f : 1f)];

    private static IReadOnlyList<TrainedTensor> Decide(OnnxModel model, string[]? train = null, string[]? freeze = null) =>
        TensorRoles.Decide(model, GraphOperators.BuildAll(model), train ?? [], freeze ?? []);
}
