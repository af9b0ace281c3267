using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Zoo;
using Dovetail.Training.Graph;
using Dovetail.Training.Graph.Operators;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static Dovetail.Training.Tests.SmallModels;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Dovetail.Training.Tests.Graph;

[Collection(TorchCollection.Name)]
public sealed class TrainableGraphTests
{
    [Theory]
    [InlineData("fashion-cnn")]
    [InlineData("mlp")]
    public void The_zoo_computes_what_OnnxRuntime_computes(string name) => CheckForward(ZooModels.Create(name, 4), [5, 1, 28, 28]);

    [Fact]
    public void A_packed_network_in_standard_operators_runs_for_comparison()
    {
        var pattern = new ComplementaryPattern(1, 16);
        OnnxModel model = ZooModels.Create("fashion-cnn", 4).ProjectOnto(pattern);
        OnnxModel standard = UnpackingPass.Unpack(PackingPass.Pack(model, pattern).Model);
        float[] x = Uniform(8, 3 * 784);
        (float[] expected, _) = Run(standard, x, [3, 1, 28, 28]);
        using var inference = new TorchInference(standard, threads: 1);
        foreach ((float e, float found) in expected.Zip(inference.Run(x, 3, 1, 28, 28)))
            Assert.Equal(e, found, 1e-4f);
        Assert.True(inference.Timed(x, 3, 1, 28, 28)() > 0);
    }

    public static TheoryData<string, OnnxModel, int[]> Nodes()
    {
        var data = new TheoryData<string, OnnxModel, int[]>();
        void Add(string name, int[] shape, NodeProto[] nodes, params (string, long[], float[])[] initializers) =>
            data.Add(name, Model([.. shape.Select(d => (Dim)d)], nodes, initializers), shape);
        int[] image = [2, 4, 9, 7];
        void Older(string name, long opset, NodeProto node, params (string, long[], float[])[] initializers)
        {
            OnnxModel model = Model([.. image.Select(d => (Dim)d)], [node], initializers);
            model.SetOpsetVersion("", opset);
            data.Add(name, model, image);
        }

        (string, long[], float[]) w = ("w", [6, 4, 3, 3], Uniform(1, 216)), b = ("b", [6], Uniform(2, 6));

        Add("conv, plain", image, [Node("Conv", ["x", "w"], "y")], w);
        Add("conv, asymmetric padding, strides, bias", image,
            [Node("Conv", ["x", "w", "b"], "y", Ints("pads", 0, 1, 2, 1), Ints("strides", 2, 1))], w, b);
        Add("conv, dilations", image, [Node("Conv", ["x", "w"], "y", Ints("dilations", 2, 2), Ints("pads", 2, 2, 2, 2))], w);
        Add("conv, groups", image, [Node("Conv", ["x", "v"], "y", AttributeProto.Of("group", 2), Ints("pads", 1, 1, 1, 1))], (
            "v", [6, 2, 3, 3], Uniform(3, 108)));
        Add("conv, same upper", image, [Node("Conv", ["x", "w"], "y", AttributeProto.Of("auto_pad", "SAME_UPPER"), Ints("strides", 2, 2))],
            w);
        Add("conv, same lower", image, [Node("Conv", ["x", "w"], "y", AttributeProto.Of("auto_pad", "SAME_LOWER"), Ints("strides", 2, 2))],
            w);
        Add("batch norm", image, [Node("BatchNormalization", ["x", "s", "t", "m", "v"], "y", AttributeProto.Of("epsilon", 1e-3f))],
            ("s", [4], Uniform(4, 4)), ("t", [4], Uniform(5, 4)), ("m", [4], Uniform(6, 4)), ("v", [4], Uniform(7, 4, 0.5f, 2)));
        Add("max pool", image, [Node("MaxPool", ["x"], "y", Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Ints("pads", 1, 1, 1, 1))]);
        Add("max pool, asymmetric padding", image, [Node("MaxPool", ["x"], "y", Ints("kernel_shape", 3, 2), Ints("pads", 0, 1, 2, 0))]);
        Add("max pool, ceil", image,
            [Node("MaxPool", ["x"], "y", Ints("kernel_shape", 2, 2), Ints("strides", 2, 2), AttributeProto.Of("ceil_mode", 1))]);
        Add("average pool", image,
            [Node("AveragePool", ["x"], "y", Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Ints("pads", 1, 1, 1, 1))]);
        Add("average pool, padding counted", image,
            [Node("AveragePool", ["x"], "y", Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1),
            AttributeProto.Of("count_include_pad", 1))]);
        Add("average pool, asymmetric padding", image,
            [Node("AveragePool", ["x"], "y", Ints("kernel_shape", 3, 3), Ints("pads", 0, 1, 1, 0))]);
        Add("global average pool, flatten", image, [Node("GlobalAveragePool", ["x"], "g"), Node("Flatten", ["g"], "y")]);
        Add("mean of channels-last pixels", image,
            [Node("Transpose", ["x"], "t", AttributeProto.Of("perm", [0, 2, 3, 1])), Node(
                "ReduceMean", ["t"], "y", AttributeProto.Of("axes", [1, -2]), AttributeProto.Of("keepdims", 0))]);
        Add("mean of everything", image, [Node("ReduceMean", ["x"], "y")]);
        Add("flatten, axis 2", image, [Node("Flatten", ["x"], "y", AttributeProto.Of("axis", 2))]);
        Add("gemm, all attributes", [3, 5],
            [Node("Gemm", ["x", "w", "b"], "y", AttributeProto.Of("alpha", 0.5f), AttributeProto.Of("beta", 2f))],
            ("w", [5, 6], Uniform(1, 30)), b);
        Add("gemm, transposed", [5, 3], [Node("Gemm", ["x", "w"], "y", AttributeProto.Of("transA", 1), AttributeProto.Of("transB", 1))], (
            "w", [6, 5], Uniform(1, 30)));
        Add("matmul, batched", [2, 3, 5], [Node("MatMul", ["x", "w"], "y")], ("w", [5, 6], Uniform(1, 30)));
        Add("arithmetic with broadcasting", image,
            [Node("Mul", ["x", "c"], "p"), Node("Add", ["p", "d"], "q"), Node("Sub", ["q", "x"], "r"), Node("Div", ["r", "e"], "y")],
            ("c", [4, 1, 1], Uniform(1, 4)), ("d", [], [0.5f]), ("e", [7], Uniform(2, 7, 1, 2)));
        Add("activations", image,
            [Node("Relu", ["x"], "a"), Node("LeakyRelu", ["x"], "l"), Node("Sigmoid", ["x"], "s"), Node("Tanh", ["x"], "t"),
                Node("Identity", ["t"], "i"), Node("Concat", ["a", "l", "s", "i"], "y", AttributeProto.Of("axis", 1))]);
        Add("clip by inputs", image, [Node("Clip", ["x", "low", "high"], "y")], ("low", [], [-0.25f]), ("high", [], [0.5f]));
        Add("softmax", [3, 7], [Node("Softmax", ["x"], "y")]);
        Add("log softmax, axis 1", image, [Node("LogSoftmax", ["x"], "y", AttributeProto.Of("axis", 1))]);
        Older("softmax before 13 is over all axes from one on", 11, Node("Softmax", ["x"], "y"));
        Older("softmax before 13, axis 2", 12, Node("Softmax", ["x"], "y", AttributeProto.Of("axis", 2)));
        Older("log softmax before 13, last axis", 11, Node("LogSoftmax", ["x"], "y", AttributeProto.Of("axis", -1)));
        Older("clip by attributes", 10, Node("Clip", ["x"], "y", AttributeProto.Of("min", -0.25f), AttributeProto.Of("max", 0.5f)));
        Older("dropout by an attribute", 10, Node("Dropout", ["x"], "y", AttributeProto.Of("ratio", 0.25f)));
        Older("batch norm of operator set 7", 7, Node("BatchNormalization", ["x", "s", "t", "m", "v"], "y"),
            ("s", [4], Uniform(4, 4)), ("t", [4], Uniform(5, 4)), ("m", [4], Uniform(6, 4)), ("v", [4], Uniform(7, 4, 0.5f, 2)));
        Add("transpose", image, [Node("Transpose", ["x"], "y", Ints("perm", 0, 2, 3, 1))]);
        Add("dropout", image, [Node("Dropout", ["x"], "y")]);
        OnnxModel reshape = Model([.. image.Select(d => (Dim)d)], [Node("Reshape", ["x", "shape"], "y")]);
        reshape.Graph.Initializers.Add(TensorData.Create<long>("shape", [3], [0, -1, 7]));
        data.Add("reshape", reshape, image);
        OnnxModel mean = Model([.. image.Select(d => (Dim)d)], [Node("ReduceMean", ["x", "axes"], "y")]);
        mean.SetOpsetVersion("", 18);
        mean.Graph.Initializers.Add(TensorData.Create<long>("axes", [2], [1, -1]));
        data.Add("mean, axes as an input", mean, image);
        OnnxModel gather = Model(
            [.. image.Select(d => (Dim)d)],
            [Node("Gather", ["x", "order"], "g", AttributeProto.Of("axis", 1)), Node(
                "Gather", ["g", "last"], "y", AttributeProto.Of("axis", -1))]);
        gather.Graph.Initializers.Add(TensorData.Create<long>("order", [4], [2, -1, 0, 1]));
        gather.Graph.Initializers.Add(TensorData.Create<int>("last", [2], [6, 0]));
        data.Add("gather, order of channels", gather, image);
        return data;
    }

    [Theory]
    [MemberData(nameof(Nodes), DisableDiscoveryEnumeration = true)]
    public void A_node_computes_what_OnnxRuntime_computes(string name, OnnxModel model, int[] shape)
    {
        Assert.NotEmpty(name);
        CheckForward(model, shape);
    }

    [Fact]
    public void Gradients_are_the_slopes_of_OnnxRuntimes_outputs()
    {
        OnnxModel model = Classifier(8);
        float[] x = Uniform(9, 3 * 64, 0, 1), weigh = Uniform(10, 12);
        using DisposeScope scope = NewDisposeScope();
        using var graph = new TrainableGraph(model);
        (graph.Forward(tensor(x, [3, 1, 8, 8]), ForwardMode.Evaluation) * tensor(weigh, [3, 4])).sum().backward();
        double Loss(OnnxModel m) => Run(m, x, [3, 1, 8, 8]).Data.Zip(weigh).Sum(p => (double)p.First * p.Second);

        foreach ((string name, Tensor parameter) in graph.Parameters)
        {
            float[] direction = Uniform(11, parameter.numel()), values = parameter.ToFloats(), gradient = parameter.grad!.ToFloats();
            double expected = gradient.Zip(direction).Sum(p => (double)p.First * p.Second);
            const float Step = 1e-3f;
            double Shifted(float by)
            {
                OnnxModel moved = model.Clone();
                moved.FindInitializer(name)!.Write<float>([.. values.Zip(direction, (v, d) => v + by * d)]);
                return Loss(moved);
            }

            double slope = (Shifted(Step) - Shifted(-Step)) / (2 * Step);
            Assert.True(Math.Abs(slope - expected) <= 2e-2 * Math.Max(0.2, Math.Abs(expected)), $"{name}: the slope is {slope}, the "
                + $"gradient says {expected}");
        }
    }

    [Fact]
    public void Training_mode_uses_the_batchs_statistics_and_moves_the_running_ones()
    {
        OnnxModel model = Model(
            [4, 2, 3, 3], [Node("BatchNormalization", ["x", "s", "t", "m", "v"], "y", AttributeProto.Of("momentum", 0.75f))],
            ("s", [2], [1, 1]), ("t", [2], [0, 0]), ("m", [2], [3, -2]), ("v", [2], [1, 1]));
        float[] x = Uniform(12, 72, 1, 4);
        using DisposeScope scope = NewDisposeScope();
        using var graph = new TrainableGraph(model);
        float[] y = graph.Forward(tensor(x, [4, 2, 3, 3]), new ForwardMode(IsTraining: true, UseBFloat16: false)).ToFloats();
        float[] first = [.. Enumerable.Range(0, 36).Select(i => x[i / 9 * 18 + i % 9])],
            normalised = [.. Enumerable.Range(0, 36).Select(i => y[i / 9 * 18 + i % 9])];
        Assert.Equal(0, normalised.Average(), 5);
        Assert.Equal(1, normalised.Average(v => v * v), 3);
        Assert.Equal(0.75 * 3 + 0.25 * first.Average(), graph.Buffers["m"].ToFloats()[0], 4);
    }

    [Fact]
    public void BFloat16_stays_close_to_fp32()
    {
        using DisposeScope scope = NewDisposeScope();
        using var graph = new TrainableGraph(ZooModels.Create("fashion-cnn", 4));
        Tensor x = tensor(Uniform(1, 4 * 784, 0, 1), [4, 1, 28, 28]);
        float[] exact = graph.Forward(x, ForwardMode.Evaluation).ToFloats(),
            coarse = graph.Forward(x, new ForwardMode(false, UseBFloat16: true)).ToFloats();
        AssertClose(exact, coarse, 0.05f);
        Assert.NotEqual(exact, coarse);
    }

    [Fact]
    public void Weights_go_back_into_the_model()
    {
        OnnxModel model = Classifier(1);
        using var graph = new TrainableGraph(model);
        graph.Parameters["b.w"].Assign(Uniform(20, 4608));
        graph.Buffers["n.mean"].Assign(Uniform(21, 16));
        OnnxModel copy = model.Clone();
        graph.WriteTo(copy);
        Assert.Equal(Uniform(20, 4608), copy.FindInitializer("b.w")!.Read<float>());
        Assert.Equal(Uniform(21, 16), copy.FindInitializer("n.mean")!.Read<float>());
        Assert.Equal(model.FindInitializer("a.w")!.Read<float>(), copy.FindInitializer("a.w")!.Read<float>());
    }

    [Fact]
    public void An_unsupported_operator_is_named_with_its_node_and_the_supported_ones()
    {
        OnnxModel model = Model([1, 3], [Node("Hardmax", ["x"], "y")]);
        string message = Assert.Throws<GraphException>(() => new TrainableGraph(model)).Message;
        Assert.StartsWith("Hardmax 'y.node' cannot be trained: its operator is not supported. Supported are Add, AveragePool, "
            + "BatchNormalization,", message);
    }

    [Fact]
    public void A_version_of_another_meaning_is_refused_with_the_versions_that_are_known()
    {
        OnnxModel add = Model([1, 3], [Node("Add", ["x", "w"], "y")], ("w", [3], [1, 2, 3]));
        add.SetOpsetVersion("", 6);
        Assert.Equal(
            "Add 'y.node' cannot be trained: its operator is known from operator set 7 on, and the model's is 6.",
            Assert.Throws<GraphException>(() => new TrainableGraph(add)).Message);
        OnnxModel clip = Model([1, 3], [Node("Clip", ["x"], "y", AttributeProto.Of("min", 0f))]);
        Assert.Equal("Clip 'y.node' has 'min' as an attribute; in operator set 17 it is input 1.", Assert.Throws<OnnxException>(
            () => new TrainableGraph(clip)).Message);
        OnnxModel norm = Model(
            [1, 4, 2, 2], [Node("BatchNormalization", ["x", "s", "s", "s", "s"], "y", AttributeProto.Of("spatial", 0))],
            ("s", [4, 2, 2], Uniform(1, 16)));
        norm.SetOpsetVersion("", 8);
        Assert.Equal(
            "BatchNormalization 'y.node' cannot be trained: with spatial = 0 it has a mean for each number of an image.",
            Assert.Throws<GraphException>(() => new TrainableGraph(norm)).Message);
    }

    [Fact]
    public void A_gather_of_anything_but_a_constant_vector_is_refused()
    {
        OnnxModel matrix = Model([1, 3], [Node("Gather", ["x", "i"], "y", AttributeProto.Of("axis", 1))]);
        matrix.Graph.Initializers.Add(TensorData.Create<long>("i", [1, 2], [0, 1]));
        Assert.Equal(
            "Gather 'y.node' cannot be trained: its indices have 2 dimensions, and only a vector is supported.",
            Assert.Throws<GraphException>(() => new TrainableGraph(matrix)).Message);
        OnnxModel computed = Model([1, 3], [Node("Identity", ["x"], "i"), Node("Gather", ["x", "i"], "y")]);
        Assert.Equal(
            "Gather 'y.node' cannot be trained: its indices 'i' are computed, and only constant ones are supported.",
            Assert.Throws<GraphException>(() => new TrainableGraph(computed)).Message);
    }

    [Fact]
    public void Weights_of_another_type_and_graphs_of_several_inputs_are_refused()
    {
        OnnxModel half = Model([1, 3], [Node("MatMul", ["x", "w"], "y")]);
        half.Graph.Initializers.Add(TensorData.Create<Half>("w", [3, 2], new Half[6]));
        Assert.Contains(
            "'w', which holds Float16; training needs float weights",
            Assert.Throws<GraphException>(() => new TrainableGraph(half)).Message);
        OnnxModel two = Model([1, 3], [Node("Add", ["x", "z"], "y")]);
        two.Graph.Inputs.Add(ValueInfoProto.Tensor("z", OnnxType.Float, 1, 3));
        Assert.Contains("has 2 inputs and 1 outputs", Assert.Throws<GraphException>(() => new TrainableGraph(two)).Message);
    }

    [Fact]
    public void An_input_that_does_not_fit_names_the_node()
    {
        using var graph = new TrainableGraph(Classifier(1));
        using DisposeScope scope = NewDisposeScope();
        Assert.Contains(
            "Conv 'a.node' failed on inputs of shape [2, 3, 8, 8] and [16, 1, 3, 3]",
            Assert.Throws<GraphException>(() => graph.Forward(zeros(2, 3, 8, 8), ForwardMode.Evaluation)).Message);
    }

    private static void CheckForward(OnnxModel model, int[] shape)
    {
        float[] x = Uniform(13, shape.Aggregate(1, (a, b) => a * b));
        (float[] expected, int[] expectedShape) = Run(model, x, shape);
        using DisposeScope scope = NewDisposeScope();
        using var graph = new TrainableGraph(model);
        Tensor y = graph.Forward(tensor(x, [.. shape.Select(d => (long)d)]), ForwardMode.Evaluation);
        Assert.Equal(expectedShape.Select(d => (long)d), y.shape);
        AssertClose(expected, y.ToFloats(), 1e-5f);
    }

    private static void AssertClose(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        float scale = expected.Max(MathF.Abs);
        Assert.All(expected.Zip(actual), p => Assert.InRange(p.Second, p.First - tolerance * scale, p.First + tolerance * scale));
    }

    private static (float[] Data, int[] Shape) Run(OnnxModel model, float[] x, int[] shape)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL };
        using var session = new InferenceSession(model.ToBytes(), options);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0], new DenseTensor<float>(x, shape))]);
        var y = results[0].AsTensor<float>();
        return (y.ToArray(), y.Dimensions.ToArray());
    }
}
