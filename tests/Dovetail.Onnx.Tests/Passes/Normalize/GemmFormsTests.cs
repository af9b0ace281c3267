using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;

namespace Dovetail.Onnx.Tests.Passes.Normalize;

/// <summary>Whatever form a fully connected layer has in the file, it is packed and computes the same.</summary>
public sealed class GemmFormsTests
{
    private const int Rows = 5, Inputs = 6, Outputs = 4;

    [Theory]
    [InlineData(true, 1f, 1f, Outputs)]
    [InlineData(false, 0.5f, 2f, Outputs)]
    [InlineData(false, 1f, 1f, Rows, Outputs)] // a matrix: an Add behind
    [InlineData(false, 1f, 3f, Rows, 1)]
    [InlineData(true, 0.5f, 1f, Rows, Outputs)]
    [InlineData(false, 1f, 0f, Rows, Outputs)] // beta = 0: nothing to add
    public void A_gemm_is_packed(bool transA, float alpha, float beta, params int[] bias)
    {
        NodeProto node = new NodeProto("Gemm", "gemm", ["x", "W", "C"], ["y"])
            .With("alpha", alpha).With("beta", beta).With("transA", transA ? 1 : 0).With("transB", 1);
        Check(
            [node], transA ? [Inputs, Rows] : [Rows, Inputs],
            Graphs.Random("W", 1, Outputs, Inputs), Graphs.Random("C", 2, [.. bias.Select(dim => (long)dim)]));
    }

    [Fact]
    public void Weights_behind_a_transpose_are_packed() => Check(
        [new NodeProto("Transpose", "turn", ["W"], ["Wt"]), new NodeProto("MatMul", "product", ["x", "Wt"], ["y"])],
        [Rows, Inputs], Graphs.Random("W", 3, Outputs, Inputs));

    private static void Check(NodeProto[] nodes, int[] input, params TensorProto[] initializers)
    {
        OnnxModel model = Graphs.Of([input[0], input[1]], [Rows, Outputs], nodes, initializers);
        PackingResult packed = PackingPass.Pack(model, ComplementaryPattern.Parse("2:2"), new PackingOptions { AllowLarger = true });
        Assert.Equal("PackedGemm", Assert.Single(packed.Model.Nodes, PackedWeights.IsPacked).OpType);
        float[] x = Oracle.Uniform(4, Rows * Inputs, -1, 1);
        (float[] expected, int[] shape) = Oracle.Run(model, x, input)["y"];
        (float[] actual, int[] actualShape) = Oracle.Run(UnpackingPass.Unpack(packed.Model), x, input)["y"];
        Assert.Equal(shape, actualShape);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5f);
    }
}
