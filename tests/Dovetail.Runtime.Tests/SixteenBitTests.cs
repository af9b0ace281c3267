using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Zoo;
using Dovetail.Tests.Kernels;
using Dovetail.Tests.Models;

namespace Dovetail.Runtime.Tests;

/// <summary>Weights stored in 16 bits, and operands rounded to bfloat16, inside ONNX Runtime.</summary>
public sealed class SixteenBitTests
{
    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void Stored_weights_are_those_that_multiply(DType type)
    {
        LayerCase layer = Convolution("1:16");
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(1));
        PackedTensor stored = PackedCast.To(weights, type);
        float[] x = RandomLayer.Floats(layer.InputLength, new Random(2));
        OnnxModel model = TestModels.PackedConv(layer, weights, null);
        Store(model, stored);
        float[] expected = Run(TestModels.PackedConv(layer, PackedCast.ToFloat32(stored), null), layer, x);
        Assert.Equal(expected, Run(model, layer, x)); // bit for bit: the same products in the same order
        Assert.NotEqual(expected, Run(TestModels.PackedConv(layer, weights, null), layer, x));
    }

    [Fact]
    public void Rounded_operands_give_the_products_of_rounded_numbers()
    {
        LayerCase layer = Convolution("2:32");
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(1));
        float[] x = RandomLayer.Floats(layer.InputLength, new Random(2));
        OnnxModel model = TestModels.PackedConv(layer, weights, null);
        model.Nodes.Single().With("operands", "bf16");
        float[] rounded = Array.ConvertAll(x, value => BFloat16.FromSingle(value).ToSingle());
        float[] expected = Run(
            TestModels.PackedConv(layer, PackedCast.ToFloat32(PackedCast.To(weights, DType.BFloat16)), null), layer, rounded);
        float[] actual = Run(model, layer, x);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-4f);
    }

    [Theory]
    [InlineData("operands", "fp8", "The attribute 'operands' is 'fp8', expected 'fp32' or 'bf16'.")]
    public void Unknown_operands_are_refused(string attribute, string value, string message)
    {
        LayerCase layer = Convolution("1:16");
        OnnxModel model = TestModels.PackedConv(layer, RandomLayer.Float32(layer.Layout, new Random(1)), null);
        model.Nodes.Single().With(attribute, value);
        Assert.Contains(
            message, Assert.ThrowsAny<Exception>(() => DovetailSession.Create(model.ToBytes())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.Float16, false, 2e-3f)]
    [InlineData(DType.BFloat16, true, 3e-2f)]
    public void A_packed_network_is_smaller_and_near_the_full_one(DType type, bool bfloat16Operands, float tolerance)
    {
        var pattern = ComplementaryPattern.Parse("1:16");
        OnnxModel sparse = ZooModels.Create("mlp", seed: 3).ProjectOnto(pattern);
        PackingResult full = PackingPass.Pack(sparse, pattern);
        PackingResult half = PackingPass.Pack(sparse, pattern, new PackingOptions
        {
            ValueType = type,
            BFloat16Operands = bfloat16Operands,
        });
        Assert.True(half.Layers.Sum(layer => layer.PackedBytes) < full.Layers.Sum(layer => layer.PackedBytes));
        using var expected = DovetailSession.Create(full.Model.ToBytes());
        using var actual = DovetailSession.Create(half.Model.ToBytes());
        using var unpacked = DovetailSession.Create(UnpackingPass.Unpack(half.Model).ToBytes());
        float[] x = RandomLayer.Floats(784, new Random(4)), y = expected.Run(x, 1, 1, 28, 28);
        float scale = y.Max(MathF.Abs);
        foreach (float[] other in (float[][])[actual.Run(x, 1, 1, 28, 28), unpacked.Run(x, 1, 1, 28, 28)])
            for (int i = 0; i < y.Length; i++)
                Assert.True(Math.Abs(y[i] - other[i]) <= tolerance * scale, $"Output {i} is {other[i]}, expected {y[i]}.");
    }

    private static LayerCase Convolution(string pattern) => new(
        pattern, 40, 64, new ConvolutionGeometry(7, 6, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1),
        Bias: false, Residual: false, Kind: ActivationKind.None);

    private static float[] Run(OnnxModel model, LayerCase layer, float[] x)
    {
        using var session = DovetailSession.Create(model.ToBytes());
        return session.Run(x, layer.Batch, layer.Geometry.InputHeight, layer.Geometry.InputWidth, layer.Channels);
    }

    private static void Store(OnnxModel model, PackedTensor values)
    {
        long[] dims = [values.Layout.ValueRows, values.Layout.ValueColumns];
        model.Graph.Initializers.RemoveAll(tensor => tensor.Name == "values");
        model.AddInitializer(values switch
        {
            PackedTensor<Half> halves => TensorData.Create<Half>("values", dims, halves.Values),
            PackedTensor<BFloat16> shorts => TensorData.Create<BFloat16>("values", dims, shorts.Values),
            _ => throw new ArgumentException($"Values of type {values.DType}.", nameof(values)),
        });
    }
}
