using Dovetail.Core;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;
using Dovetail.Onnx.Model;
using Dovetail.Tests.Kernels;
using Dovetail.Tests.Models;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Runtime.Tests;

/// <summary>What is wrong with a model reaches the user as one message that names the node, what was found and what was expected.</summary>
public sealed class OperatorErrorTests
{
    private static readonly LayerCase Layer = new("1:16", 24, 32, new ConvolutionGeometry(5, 5, 3, 3, 1, 1, 1, 1, 1, 1), Residual: false);

    [Fact]
    public void Unknown_pattern() =>
        AssertRefused(model => Node(model).With("pattern", "16:1"), "PackedConv 'conv'", "'16:1' is not a pattern");

    [Fact]
    public void Missing_pattern() => AssertRefused(model => Node(model).RemoveAttribute("pattern"), "'pattern' is missing");

    [Fact]
    public void Missing_weight_shape() => AssertRefused(model => Node(model).RemoveAttribute("weight_shape"), "'weight_shape' is missing");

    [Fact]
    public void Unknown_activation() => AssertRefused(model => Node(model).With("activation", "tanh"), "'activation' is 'tanh'", "'relu'");

    [Fact]
    public void Zero_stride() => AssertRefused(model => Node(model).With("strides", [0, 1]), "'strides' is [0, 1]");

    [Fact]
    public void Strides_that_a_known_shape_needs() => AssertRefused(
        model =>
        {
            model.Graph.Inputs[0] = ValueInfoProto.Tensor("X", OnnxType.Float, 1, 5, 5, 32);
            Node(model).With("strides", [0, 1]);
        },
        "'strides' is [0, 1], expected 2 integers of 1 or more");

    [Fact]
    public void Strides_of_another_count() => AssertRefused(
        model =>
        {
            model.Graph.Inputs[0] = ValueInfoProto.Tensor("X", OnnxType.Float, 1, 5, 5, 32);
            Node(model).With("strides", [1]);
        },
        "'strides' is [1], expected 2 integers");

    [Fact]
    public void Attributes_of_another_type()
    {
        AssertRefused(model => Node(model).With("group", "two"), "'group' is a string, expected an integer");
        AssertRefused(model => Node(model).With("pattern", 16), "'pattern' is an integer, expected a string");
        AssertRefused(model => Node(model).With("activation", 1.5f), "'activation' is a float, expected a string");
        AssertRefused(model => Node(model).With("activation", "clip").With("activation_min", 0), "'activation_min' is an integer, expected "
            + "a float");
        AssertRefused(model => Node(model).With("pads", "SAME"), "'pads' is [], expected 4 integers of 0 or more");
    }

    [Fact]
    public void An_input_of_another_length_or_type()
    {
        using var session = DovetailSession.Create(Model().ToBytes());
        var error = Assert.Throws<OperatorException>(() => session.Run(new float[5], 1, 5, 5, 32));
        Assert.Equal("The input has 5 numbers, expected 800 for the shape [1, 5, 5, 32].", error.Message);
        Assert.Throws<OperatorException>(() => session.Run(new float[6], -1, -6));
        var layer = new LayerCase("4:64", 50, 64, new(3, 5, 1, 1), Residual: false, Kind: ActivationKind.None);
        OnnxModel bytes = TestModels.PackedQLinear(layer, RandomLayer.Int8(layer.Layout, new Random(1)), null, 1, 0, new float[50], 1, 0);
        using var quantized = DovetailSession.Create(bytes.ToBytes());
        error = Assert.Throws<OperatorException>(() => quantized.Run(new float[64], 1, 1, 1, 64));
        Assert.Contains("first input has elements of type UInt8, expected Float", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_bound_to_its_input()
    {
        var layer = new LayerCase("1:16", 32, 32, new ConvolutionGeometry(5, 5, 1, 1), Residual: false);
        using var session = DovetailSession.Create(
            TestModels.PackedConv(layer, RandomLayer.Float32(layer.Layout, new Random(1)), null).ToBytes());
        var buffer = new float[5 * 5 * 32];
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(buffer, [1, 5, 5, 32]);
        using OrtIoBinding binding = session.Inner.CreateIoBinding();
        binding.BindInput("X", value);
        binding.BindOutput("Y", value);
        using var options = new RunOptions();
        var error = Assert.Throws<OnnxRuntimeException>(() => session.Inner.RunWithBinding(options, binding));
        Assert.Contains("The output overlaps the input X; expected a buffer of its own", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_of_another_shape() =>
        AssertRefused(model => Node(model).With("weight_shape", [24, 32, 3, 1]), "'values' has the shape [24, 18]", "expected [24, 6]");

    [Fact]
    public void Bias_of_another_length() => AssertRefused(Shorten, "'B' has the shape [23]", "expected [24]");

    [Fact]
    public void Owners_behind_the_tail() => AssertRefused(
        model =>
        {
            Node(model).With("pattern", "1:12");
            Node(model).With("weight_shape", [24, 8, 3, 3]);
            model.Graph.Initializers.RemoveAll(t => t.Name is "values" or "owners");
            model.AddInitializer(TensorData.Create<float>("values", [24, 9], new float[24 * 9]));
            byte[] owners = new byte[24 * 5];
            Array.Fill(owners, (byte)0x99);
            for (int row = 0; row < 24; row++)
                owners[row * 5 + 4] = 0x09;
            model.AddInitializer(TensorData.Create<byte>("owners", [24, 5], owners));
        },
        "has owner 9");

    [Fact]
    public void Weights_that_are_not_initializers() => AssertRefused(
        model =>
        {
            model.Graph.Initializers.RemoveAll(t => t.Name == "values");
            model.Graph.Inputs.Add(ValueInfoProto.Tensor("values", OnnxType.Float, 24, 18));
        },
        "'values' is not an initializer");

    [Fact]
    public void Input_of_another_channel_count()
    {
        using var session = DovetailSession.Create(Model().ToBytes());
        var error = Assert.Throws<OperatorException>(() => session.Run(new float[5 * 5 * 31], 1, 5, 5, 31));
        Assert.Contains("31", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Input_smaller_than_the_filter()
    {
        OnnxModel model = Model();
        Node(model).With("pads", [0, 0, 0, 0]);
        using var session = DovetailSession.Create(model.ToBytes());
        var error = Assert.Throws<OperatorException>(() => session.Run(new float[2 * 2 * 32], 1, 2, 2, 32));
        Assert.Contains("smaller than the filter of 3 × 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_file_and_no_model()
    {
        Assert.Contains("There is no model at", Assert.Throws<OperatorException>(() => DovetailSession.Create("missing.onnx")).Message,
            StringComparison.Ordinal);
        Assert.Contains("refuses a model of 3 bytes", Assert.Throws<OperatorException>(() => DovetailSession.Create([1, 2, 3])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_kernel_name_lists_the_names()
    {
        var weights = RandomLayer.Float32(Layer.Layout, new Random(1));
        var error = Assert.ThrowsAny<DovetailException>(
            () => KernelRegistry.Choose(KernelRegistry.Float32, weights, "select-f32-w17-1x1-mmx"));
        Assert.Contains("'select-f32-w17-1x1-mmx', which is not a kernel", error.Message, StringComparison.Ordinal);
        Assert.All(KernelRegistry.Float32, kernel => Assert.Contains(kernel.Name, error.Message, StringComparison.Ordinal));
        Assert.Equal(
            "walk-f32-any-1x1-reference",
            KernelRegistry.Choose(KernelRegistry.Float32, weights, "walk-u8s8-any-1x1-reference, walk-f32-any-1x1-reference").Name);
    }

    [Fact]
    public void Buffers_that_overlap_are_refused()
    {
        var layer = new LayerCase("1:16", 32, 32, PreparedLayer.RowsOf(1));
        using var prepared = KernelRegistry.Prepare(new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(1))));
        var buffer = new float[40];
        Assert.Throws<KernelException>(() => prepared.Run(buffer.AsSpan(0, 32), 1, layer.Geometry, buffer.AsSpan(8, 32)));
    }

    private static OnnxModel Model() =>
        TestModels.PackedConv(Layer, RandomLayer.Float32(Layer.Layout, new Random(1)), new float[24]);

    private static NodeProto Node(OnnxModel model) => model.Nodes[0];

    private static void AssertRefused(Action<OnnxModel> damage, params string[] expected)
    {
        OnnxModel model = Model();
        damage(model);
        var error = Assert.Throws<OperatorException>(() => DovetailSession.Create(model.ToBytes()));
        Assert.All(expected, part =>
            Assert.True(error.Message.Contains(part, StringComparison.Ordinal), $"'{part}' is not in: {error.Message}"));
    }

    private static void Shorten(OnnxModel model)
    {
        TensorProto bias = model.FindInitializer("B")!;
        bias.Dims[0] = 23;
        bias.Write<float>(new float[23]);
    }
}
