using Dovetail.Core.Operators;
using Dovetail.Kernels;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Tests.Kernels;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Runtime.Tests;

/// <summary>NHWC pooling and depthwise convolution against ONNX Runtime's own operators between Transposes.</summary>
public sealed class WindowOperatorTests
{
    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (string op in new[] { "MaxPoolNhwc", "MaxPoolNhwcU8", "AveragePoolNhwc", "DepthwiseConvNhwc", "GlobalAveragePoolNhwc" })
                for (int seed = 0; seed < 40; seed++)
                    cases.Add(op, seed);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Equals_the_dense_operator(string op, int seed)
    {
        var random = new Random(seed);
        int batch = random.Next(1, 4), channels = seed % 5 == 0 ? random.Next(60, 200) : random.Next(2, 70);
        (NodeProto node, int height, int width) = RandomNode(op, random);
        OnnxModel model = Model(node, op == "MaxPoolNhwcU8" ? OnnxType.UInt8 : OnnxType.Float, channels, random);
        OnnxModel dense = UnpackingPass.Unpack(model);
        Assert.DoesNotContain(dense.Nodes, n => n.Domain == OperatorSet.Domain);
        long[] shape = [batch, height, width, channels];
        string what = $"{op}, seed {seed}, [{string.Join(", ", shape)}], "
            + $"{string.Join(" ", node.Attributes.Select(a => $"{a.Name}={a.I}{a.F}[{string.Join(",", a.Ints)}]"))}";
        if (op == "MaxPoolNhwcU8")
        {
            byte[] x = RandomLayer.Bytes(batch * height * width * channels, random);
            (byte[] expected, long[] expectedShape) = Run(dense, x, shape, 1);
            for (int threads = 1; threads <= 2; threads++)
            {
                (byte[] actual, long[] actualShape) = Run(model, x, shape, threads);
                Assert.Equal(expectedShape, actualShape);
                Assert.Equal(expected, actual);
            }
        }
        else
        {
            float[] x = RandomLayer.Floats(batch * height * width * channels, random);
            (float[] expected, long[] expectedShape) = Run(dense, x, shape, 1);
            for (int threads = 1; threads <= 2; threads++)
            {
                (float[] actual, long[] actualShape) = Run(model, x, shape, threads);
                Assert.Equal(expectedShape, actualShape);
                for (int i = 0; i < expected.Length; i++)
                    Assert.True(Math.Abs(expected[i] - actual[i]) <= 2e-6f, $"{what}, {threads} threads: [{i}] is {actual[i]}, expected "
                        + $"{expected[i]}.");
            }
        }
    }

    [Fact]
    public void NaN_reaches_the_pooled_pixels_that_read_it()
    {
        foreach (string op in new[] { "MaxPoolNhwc", "AveragePoolNhwc" })
        {
            NodeProto node = new NodeProto(op, "pool", ["X"], ["Y"], OperatorSet.Domain).With("kernel_shape", [2, 2])
                .With("strides", [2, 2]);
            float[] x = RandomLayer.Floats(4 * 4 * 37, new Random(1));
            x[36] = float.NaN; // pixel (0, 0), the last channel
            x[37 * 3 + 2] = float.PositiveInfinity; // pixel (0, 3)
            (float[] y, _) = Run(Model(node, OnnxType.Float, 37, new Random(1)), x, [1, 4, 4, 37], 1);
            for (int i = 0; i < y.Length; i++)
                Assert.True(
                    i == 36 ? float.IsNaN(y[i]) : i == 37 + 2 ? float.IsPositiveInfinity(y[i]) : float.IsFinite(y[i]),
                    $"{op}: [{i}] is {y[i]}.");
        }
    }

    [Theory]
    [InlineData("kernel_shape", new[] { 3 }, "'kernel_shape' is [3], expected 2 integers of 1 or more")]
    [InlineData("strides", new[] { 1, 0 }, "'strides' is [1, 0]")]
    [InlineData("pads", new[] { 1, 1 }, "'pads' is [1, 1], expected 4 integers")]
    public void Attributes_that_do_not_fit_are_refused(string attribute, int[] value, string expected)
    {
        NodeProto node = new NodeProto("MaxPoolNhwc", "pool", ["X"], ["Y"], OperatorSet.Domain).With("kernel_shape", [3, 3])
            .With(attribute, value);
        OnnxModel model = Model(node, OnnxType.Float, 4, new Random(1));
        string message = Assert.Throws<OperatorException>(() => DovetailSession.Create(model.ToBytes())).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("'pool'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_that_do_not_fit_are_refused()
    {
        var random = new Random(2);
        NodeProto node = new NodeProto("DepthwiseConvNhwc", "depth", ["X", "W"], ["Y"], OperatorSet.Domain).With("kernel_shape", [3, 3]);
        OnnxModel model = Model(node, OnnxType.Float, 8, random);
        model.Graph.Inputs[0] = ValueInfoProto.Tensor("X", OnnxType.Float, "n", "h", "w", "c");
        using var session = DovetailSession.Create(model.ToBytes());
        Assert.Contains(
            "expected [N, H, W, 8]", Assert.Throws<OperatorException>(() => session.Run(new float[5 * 5 * 7], 1, 5, 5, 7)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "smaller than the window of 3 × 3", Assert.Throws<OperatorException>(
                () => session.Run(new float[2 * 5 * 8], 1, 2, 5, 8)).Message, StringComparison.Ordinal);
        Assert.Empty(session.Run([], 0, 5, 5, 8));
        model.FindInitializer("W")!.Dims[0] = 9;
        model.FindInitializer("W")!.Dims[1] = 1;
        Assert.Contains(
            "'W' has the shape [9, 1, 8], expected [3, 3, C]", Assert.Throws<OperatorException>(
                () => DovetailSession.Create(model.ToBytes())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_shapes_are_inferred()
    {
        NodeProto node = new NodeProto("MaxPoolNhwc", "pool", ["X"], ["Y"], OperatorSet.Domain)
            .With("kernel_shape", [3, 3]).With("strides", [2, 2]).With("pads", [1, 1, 1, 1]);
        OnnxModel model = Model(node, OnnxType.Float, 5, new Random(1));
        model.Graph.Inputs[0] = ValueInfoProto.Tensor("X", OnnxType.Float, "n", 112, "w", 5);
        using var session = DovetailSession.Create(model.ToBytes());
        Assert.Equal([-1, 56, -1, 5], session.Inner.OutputMetadata["Y"].Dimensions);
        Assert.Equal("n", session.Inner.OutputMetadata["Y"].SymbolicDimensions[0]);
    }

    private static (NodeProto Node, int Height, int Width) RandomNode(string op, Random random)
    {
        if (op == "GlobalAveragePoolNhwc")
            return (new NodeProto(op, "pool", ["X"], ["Y"], OperatorSet.Domain), random.Next(1, 30), random.Next(1, 30));
        int kernelHeight = random.Next(1, 5), kernelWidth = random.Next(1, 5), dilationHeight = random.Next(1, 3),
            dilationWidth = random.Next(1, 3);
        // ONNX Runtime wants pads below the kernel.
        int[] pads = [random.Next(kernelHeight), random.Next(kernelWidth), random.Next(kernelHeight), random.Next(kernelWidth)];
        NodeProto node = new NodeProto(
            op, "window", op == "DepthwiseConvNhwc" ? random.Next(2) == 0 ? ["X", "W", "B"] : ["X", "W"] : ["X"], ["Y"], OperatorSet.Domain)
            .With("kernel_shape", [kernelHeight, kernelWidth]).With("strides", [random.Next(1, 4), random.Next(1, 4)])
            .With("pads", pads).With("dilations", [dilationHeight, dilationWidth]);
        if (op == "DepthwiseConvNhwc")
            node.With("activation", new[] { "none", "relu", "silu", "clip" }[random.Next(4)]).With("activation_min", -0.2f)
                .With("activation_max", 0.3f);
        else
            node.With("ceil_mode", random.Next(2));
        if (op == "AveragePoolNhwc")
            node.With("count_include_pad", random.Next(2));
        int large = random.Next(4) == 0 ? 30 : 6;
        return (node, dilationHeight * (kernelHeight - 1) + 1 + random.Next(large), dilationWidth * (kernelWidth - 1) + 1
            + random.Next(large));
    }

    private static OnnxModel Model(NodeProto node, OnnxType type, int channels, Random random)
    {
        var proto = new ModelProto
        {
            IrVersion = 9,
            Graph = new GraphProto { Name = "test" },
            OpsetImports = { new OperatorSetIdProto { Version = 20 }, new OperatorSetIdProto { Domain = OperatorSet.Domain, Version = 1 } },
        };
        proto.Graph.Inputs.Add(ValueInfoProto.Tensor("X", type, "n", "h", "w", channels));
        var output = ValueInfoProto.Tensor("Y", type);
        output.Type!.Tensor!.Shape = null;
        proto.Graph.Outputs.Add(output);
        proto.Graph.Nodes.Add(node);
        var model = new OnnxModel(proto);
        if (node.HasInput(1))
        {
            long[] kernel = node.GetInts("kernel_shape");
            model.AddInitializer(
                TensorData.Create<float>("W", [.. kernel, channels], RandomLayer.Floats((int)(kernel[0] * kernel[1] * channels), random)));
        }

        if (node.HasInput(2))
            model.AddInitializer(TensorData.Create<float>("B", [channels], RandomLayer.Floats(channels, random)));
        return model;
    }

    private static (T[] Values, long[] Shape) Run<T>(OnnxModel model, T[] x, long[] shape, int threads)
        where T : unmanaged
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(threads));
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, shape);
        using var options = new RunOptions();
        using var outputs = session.Inner.Run(options, ["X"], [input], ["Y"]);
        return (outputs[0].GetTensorDataAsSpan<T>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
    }
}
