using Dovetail.Core.Packing;
using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;
using Dovetail.Kernels.Reference;
using Dovetail.Onnx.Model;
using Dovetail.Tests.Kernels;
using Dovetail.Tests.Models;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Runtime.Tests;

/// <summary>Activations where a dense network in ONNX Runtime meets special values, and where an int8 one clips.</summary>
public sealed class ActivationTests
{
    private static readonly float[] Special =
    [
        float.NaN, -float.NaN, float.PositiveInfinity, 0f, -0f, float.Epsilon, -float.Epsilon, 1e-39f, -1e-39f,
        float.MaxValue, 3, -3, 0.49999997f, 0.5f, -0.25f, 17,
    ];

    public static TheoryData<ActivationKind> Kinds => [.. Enum.GetValues<ActivationKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Special_values_come_out_as_the_dense_operators_let_them(ActivationKind kind)
    {
        var layer = new LayerCase("1:1", 17, 1, new(1, Special.Length, 1, 1), Residual: false, Kind: kind);
        var weights = new float[17];
        Array.Fill(weights, 1f);
        PackedTensor<float> packed = Packer.Pack<float>(weights, layer.Layout);
        float[] expected = Run(TestModels.DenseConv(layer, weights, null));
        Compare(Run(TestModels.PackedConv(layer, packed, null)), "the operator");
        foreach (Kernel<Float32Specification, float> kernel in KernelRegistry.Float32.Where(k => k.IsSupported && k.Accepts(layer.Layout)))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(packed, null, layer.Activation));
            var output = new float[layer.OutputLength];
            prepared.Run(Special, 1, layer.Geometry, output);
            Compare(output, kernel.Name);
        }

        float[] Run(OnnxModel model)
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
            return session.Run(Special, 1, 1, Special.Length, 1);
        }

        void Compare(float[] actual, string what)
        {
            for (int i = 0; i < expected.Length; i++)
                Assert.True(
                    actual[i].Equals(expected[i]) || Math.Abs(actual[i] - expected[i]) <= 1e-6f * Math.Max(1, Math.Abs(expected[i])),
                    $"{what}: {layer.Activation} of {Special[i / 17]} is {actual[i]}, and ONNX Runtime says {expected[i]}.");
        }
    }

    /// <summary>
    /// The product is the scalar reference's: ONNX Runtime's own is not exact on every CPU. What follows it there runs as it
    /// stands in the file, from bytes to bytes.
    /// </summary>
    [Theory]
    [InlineData("clip", -1.3f, 2.6f)]
    [InlineData("clip", 0f, 6f)]
    [InlineData("clip", -1000f, 1e30f)]
    [InlineData("clip", 2f, 2f)]
    [InlineData("relu", 0f, float.PositiveInfinity)]
    public void Quantized_clip_equals_a_clip_between_dequantize_and_quantize(string activation, float least, float greatest)
    {
        const float scale = 0.07f;
        const byte zeroPoint = 40;
        var layer = new LayerCase("4:64", 50, 64, new(3, 5, 1, 1), Residual: false, Kind: ActivationKind.None);
        var random = new Random(8);
        PackedTensor<sbyte> weights = RandomLayer.Int8(layer.Layout, random);
        float[] scales = Array.ConvertAll(RandomLayer.Floats(50, random), s => 0.001f + MathF.Abs(s) * 0.002f);
        byte[] x = RandomLayer.Bytes(layer.InputLength, random);
        OnnxModel packed = TestModels.PackedQLinear(layer, weights, null, 0.02f, 100, scales, scale, zeroPoint);
        packed.Nodes[0].With("activation", activation).With("activation_min", least).With("activation_max", greatest);
        int[] accumulators = QuantizedReference.Accumulate(weights, x, 1, layer.Geometry, 100);
        byte[] product = QuantizedReference.Requantize(
            accumulators, QuantizedSpecification.ComputeFactors(0.02f, scales, scale), zeroPoint);
        byte[] expected = Run(ClipBetween(scale, zeroPoint, least, greatest), product, 50), actual = Run(packed, x, 64);
        Assert.Equal(expected, actual);
        Assert.True(activation == "clip" && least == greatest || expected.Distinct().Count() > 10, "The case tests too few values.");

        static byte[] Run(OnnxModel model, byte[] bytes, int channels)
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1, OptimizeGraph: false));
            using OrtValue input = OrtValue.CreateTensorValueFromMemory(bytes, [1, 3, 5, channels]);
            using var options = new RunOptions();
            using var outputs = session.Inner.Run(options, ["X"], [input], ["Y"]);
            return outputs[0].GetTensorDataAsSpan<byte>().ToArray();
        }
    }

    /// <summary>DequantizeLinear, Clip, QuantizeLinear on bytes of one scale.</summary>
    private static OnnxModel ClipBetween(float scale, byte zeroPoint, float least, float greatest)
    {
        var model = new OnnxModel(new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "clip" },
            OpsetImports = { new OperatorSetIdProto { Version = 17 } },
        });
        model.Graph.Inputs.Add(ValueInfoProto.Tensor("X", OnnxType.UInt8, 1, 3, 5, 50));
        model.Graph.Outputs.Add(ValueInfoProto.Tensor("Y", OnnxType.UInt8, 1, 3, 5, 50));
        model.AddInitializer(TensorData.Scalar("scale", scale));
        model.AddInitializer(TensorData.Scalar("zero_point", zeroPoint));
        model.AddInitializer(TensorData.Scalar("least", least));
        model.AddInitializer(TensorData.Scalar("greatest", greatest));
        model.Nodes.Add(new NodeProto("DequantizeLinear", "dequantize", ["X", "scale", "zero_point"], ["f"]));
        model.Nodes.Add(new NodeProto("Clip", "clip", ["f", "least", "greatest"], ["g"]));
        model.Nodes.Add(new NodeProto("QuantizeLinear", "quantize", ["g", "scale", "zero_point"], ["Y"]));
        return model;
    }

    [Fact]
    public void Bounds_out_of_order_and_functions_of_integers_are_refused()
    {
        var layer = new LayerCase("4:64", 50, 64, new(3, 5, 1, 1), Residual: false, Kind: ActivationKind.None);
        OnnxModel model = TestModels.PackedQLinear(layer, RandomLayer.Int8(layer.Layout, new Random(1)), null, 1, 0, new float[50], 1, 0);
        model.Nodes[0].With("activation", "silu");
        Assert.Contains("'activation' is 'silu', expected 'none', 'relu' or 'clip'", Refusal(), StringComparison.Ordinal);
        model.Nodes[0].With("activation", "clip").With("activation_min", 2f).With("activation_max", 1f);
        Assert.Contains("bounds are 2 and 1, expected two numbers in order", Refusal(), StringComparison.Ordinal);

        string Refusal() => Assert.Throws<OperatorException>(() => DovetailSession.Create(model.ToBytes())).Message;
    }
}
