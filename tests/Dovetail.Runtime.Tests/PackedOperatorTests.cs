using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Kernels.Reference;
using Dovetail.Onnx.Model;
using Dovetail.Tests.Kernels;
using Dovetail.Tests.Models;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Runtime.Tests;

/// <summary>The four operators inside ONNX Runtime against ONNX Runtime's own dense operators on the unpacked weights.</summary>
public sealed class PackedOperatorTests
{
    private const float Tolerance = 2e-5f;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Packed_conv_equals_dense_conv(int seed)
    {
        string[] patterns = ["1:16", "2:16", "1:4", "2:32", "1:8/out", "1:16@strided", "1:16x2"];
        LayerCase layer = LayerCase.Random(seed, patterns[seed % patterns.Length]);
        var random = new Random(seed);
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, random);
        float[]? bias = layer.Bias ? RandomLayer.Floats(layer.Outputs, random) : null;
        float[] x = RandomLayer.Floats(layer.InputLength, random), residual = RandomLayer.Floats(layer.OutputLength, random);
        float[] dense = RunFloat(TestModels.DenseConv(layer, Packer.Unpack(weights), bias), layer, x, residual, 1, out _);
        for (int threads = 1; threads <= 2; threads++)
        {
            float[] packed = RunFloat(TestModels.PackedConv(layer, weights, bias), layer, x, residual, threads, out long[] shape);
            Assert.Equal([layer.Batch, layer.Geometry.OutputHeight, layer.Geometry.OutputWidth, layer.Outputs], shape);
            AssertClose(dense, packed, $"{layer}, {threads} threads");
        }
    }

    /// <summary>
    /// ONNX Runtime may put the output where the residual was. Sizes are fixed, or it would not: with a residual that nothing else
    /// reads, one that is the input as well, and one that is read again behind.
    /// </summary>
    [Theory]
    [InlineData("1:16", 3)]
    [InlineData("2:32", 1)]
    [InlineData("1:8/out", 3)]
    public void A_residual_inside_a_graph_is_added_once(string pattern, int kernel)
    {
        int pad = kernel / 2;
        var layer = new LayerCase(
            pattern, 72, 72, new ConvolutionGeometry(9, 8, kernel, kernel, 1, 1, pad, pad, pad, pad), Batch: 2, Kind: ActivationKind.Silu);
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(1));
        float[] bias = RandomLayer.Floats(layer.Outputs, new Random(2)), x = RandomLayer.Floats(layer.InputLength, new Random(3));
        float[] positive = Array.ConvertAll(x, value => Math.Max(value, 0)), negative = Array.ConvertAll(x, value => -value);
        OnnxModel plain = TestModels.PackedConv(layer, weights, bias);
        float[] alone = RunFloat(plain, layer, x, negative, 1, out _), same = RunFloat(plain, layer, positive, positive, 1, out _);
        for (int threads = 1; threads <= 2; threads++)
        {
            Assert.Equal(alone, Run("X", "r", [new NodeProto("Neg", "before", ["X"], ["r"])], []));
            Assert.Equal(same, Run("r", "r", [new NodeProto("Relu", "before", ["X"], ["r"])], []));
            Assert.Equal(
                alone.Zip(negative, (a, b) => a + b),
                Run("X", "r", [new NodeProto("Neg", "before", ["X"], ["r"])], [new NodeProto("Add", "behind", ["Z", "r"], ["Y"])]));

            float[] Run(string input, string residual, NodeProto[] before, NodeProto[] behind)
            {
                OnnxModel model = TestModels.PackedConv(layer, weights, bias);
                NodeProto node = model.Nodes.Single();
                (node.Inputs[0], node.Inputs[4], node.Outputs[0]) = (input, residual, behind.Length > 0 ? "Z" : "Y");
                model.Nodes.InsertRange(0, before);
                model.Nodes.AddRange(behind);
                model.Graph.Inputs.Clear();
                model.Graph.Inputs.Add(ValueInfoProto.Tensor("X", OnnxType.Float, layer.Batch, 9, 8, layer.Channels));
                using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(threads));
                return session.Run(x, layer.Batch, 9, 8, layer.Channels);
            }
        }
    }

    [Theory]
    [InlineData("1:16", 130, 200)]
    [InlineData("4:64", 33, 70)]
    [InlineData("1:8/out", 40, 31)]
    public void Packed_gemm_takes_any_batch(string pattern, int outputs, int inputs)
    {
        var layer = new LayerCase(pattern, outputs, inputs, PreparedLayer.RowsOf(1), Residual: false, Kind: ActivationKind.None);
        var random = new Random(3);
        var weights = Matrix(RandomLayer.Float32(layer.Layout, random));
        float[] bias = RandomLayer.Floats(outputs, random), dense = Packer.Unpack(weights);
        using var session = DovetailSession.Create(TestModels.PackedGemm(layer, weights, bias).ToBytes());
        foreach (int batch in new[] { 1, 2, 7, 33 })
        {
            float[] x = RandomLayer.Floats(batch * inputs, random), y = session.Run(x, batch, inputs);
            Assert.Equal(batch * outputs, y.Length);
            for (int i = 0; i < y.Length; i++)
            {
                double sum = bias[i % outputs];
                for (int k = 0; k < inputs; k++)
                    sum += (double)x[i / outputs * inputs + k] * dense[i % outputs * inputs + k];
                Assert.Equal(sum, y[i], Tolerance);
            }
        }

        Assert.Empty(session.Run([], 0, inputs));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Packed_qlinear_conv_equals_qlinear_conv(int seed)
    {
        string[] patterns = ["4:64", "1:16", "2:32", "1:4/out", "4:64@strided"];
        LayerCase layer = LayerCase.Random(seed, patterns[seed % patterns.Length]) with { Kind = ActivationKind.None };
        layer = layer with { Geometry = layer.Geometry with { InputHeight = layer.Geometry.InputHeight + 1 } };
        var random = new Random(seed);
        PackedTensor<sbyte> weights = RandomLayer.Int8(layer.Layout, random);
        int[]? bias = layer.Bias ? [.. RandomLayer.Floats(layer.Outputs, random).Select(b => (int)(b * 20000))] : null;
        byte inputZeroPoint = (byte)random.Next(256), outputZeroPoint = (byte)random.Next(256);
        float[] scales = Array.ConvertAll(RandomLayer.Floats(layer.Outputs, random), s => 0.01f + MathF.Abs(s) * 0.02f);
        byte[] x = RandomLayer.Bytes(layer.InputLength, random);
        byte[] packed = RunBytes(
            TestModels.PackedQLinear(layer, weights, bias, 0.02f, inputZeroPoint, scales, 0.7f, outputZeroPoint), layer, x);
        int[] accumulators = QuantizedReference.Accumulate(weights, x, layer.Batch, layer.Geometry, inputZeroPoint, bias);
        byte[] reference = QuantizedReference.Requantize(
            accumulators, QuantizedSpecification.ComputeFactors(0.02f, scales, 0.7f), outputZeroPoint);
        Assert.Equal(reference, packed);
        byte[] dense = RunBytes(
            TestModels.DenseQLinearConv(layer, Packer.Unpack(weights), bias, 0.02f, inputZeroPoint, scales, 0.7f, outputZeroPoint), layer,
            x);
        Assert.Equal(dense, packed);
    }

    [Fact]
    public void Packed_qlinear_gemm_equals_the_reference()
    {
        var layer = new LayerCase("4:64", 50, 130, PreparedLayer.RowsOf(5), Residual: false);
        var random = new Random(8);
        PackedTensor<sbyte> weights = Matrix(RandomLayer.Int8(layer.Layout, random));
        var scales = new float[50];
        Array.Fill(scales, 0.01f);
        byte[] x = RandomLayer.Bytes(5 * 130, random);
        OnnxModel model = TestModels.PackedQLinear(layer, weights, null, 0.05f, 100, scales, 0.3f, 30);
        using var session = DovetailSession.Create(model.ToBytes());
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, [5, 130]);
        using var options = new RunOptions();
        using var outputs = session.Inner.Run(options, ["X"], [input], ["Y"]);
        int[] accumulators = QuantizedReference.Accumulate(weights, x, 1, layer.Geometry, 100);
        Assert.Equal(
            QuantizedReference.Requantize(accumulators, QuantizedSpecification.ComputeFactors(0.05f, scales, 0.3f), 30, lowest: 30),
            outputs[0].GetTensorDataAsSpan<byte>().ToArray());
    }

    [Fact]
    public void Output_shapes_are_inferred()
    {
        var layer = new LayerCase("1:16", 24, 16, new ConvolutionGeometry(9, 9, 3, 3, 2, 2, 1, 1, 1, 1), Residual: false);
        OnnxModel model = TestModels.PackedConv(layer, RandomLayer.Float32(layer.Layout, new Random(1)), null);
        using (var session = DovetailSession.Create(model.ToBytes()))
        {
            Assert.Equal([-1, -1, -1, 24], session.Inner.OutputMetadata["Y"].Dimensions);
            Assert.Equal("n", session.Inner.OutputMetadata["Y"].SymbolicDimensions[0]);
        }

        model.Graph.Inputs[0] = ValueInfoProto.Tensor("X", OnnxType.Float, "n", 9, 10, 16);
        using var known = DovetailSession.Create(model.ToBytes());
        Assert.Equal([-1, 5, 5, 24], known.Inner.OutputMetadata["Y"].Dimensions);
    }

    private static PackedTensor<T> Matrix<T>(PackedTensor<T> weights)
        where T : unmanaged => new(
            new(weights.Pattern, Core.Patterns.WeightShape.Matrix(weights.Shape.Outputs, weights.Shape.Inputs)), weights.Values,
            weights.Owners);

    private static float[] RunFloat(OnnxModel model, LayerCase layer, float[] x, float[] residual, int threads, out long[] shape)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(threads));
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, InputShape(layer));
        using OrtValue second = OrtValue.CreateTensorValueFromMemory(
            residual, [layer.Batch, layer.Geometry.OutputHeight, layer.Geometry.OutputWidth, layer.Outputs]);
        using var options = new RunOptions();
        using var outputs = layer.Residual
            ? session.Inner.Run(options, ["X", "R"], [input, second], ["Y"])
            : session.Inner.Run(options, ["X"], [input], ["Y"]);
        shape = outputs[0].GetTensorTypeAndShape().Shape;
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static byte[] RunBytes(OnnxModel model, LayerCase layer, byte[] x)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1, ExactIntegers: true));
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, InputShape(layer));
        using var options = new RunOptions();
        using var outputs = session.Inner.Run(options, ["X"], [input], ["Y"]);
        return outputs[0].GetTensorDataAsSpan<byte>().ToArray();
    }

    private static long[] InputShape(LayerCase layer) =>
        [layer.Batch, layer.Geometry.InputHeight, layer.Geometry.InputWidth, layer.Channels * layer.Geometry.Groups];

    private static void AssertClose(float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= Tolerance * (1 + Math.Abs(expected[i])), $"{what}: output {i} is {actual[i]}, "
                + $"expected {expected[i]}.");
    }
}
