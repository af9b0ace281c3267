using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Permute;
using Dovetail.Onnx.Passes.Unpack;

namespace Dovetail.Onnx.Tests.Operators;

/// <summary>What a row says is true of the operator: ONNX Runtime is the oracle, before and after a pass that relies on it.</summary>
public sealed class OperatorCapabilityTests
{
    public static TheoryData<string> WithLayout =>
        [.. Names(row => row.Layout is not null).Select(row => row.Data).Union(OperatorExamples.Older)];

    public static TheoryData<string> WithChannels => Names(row => row.Channels is not null);

    public static TheoryData<string> WithFunction => Names(row => row.Unary is not null || row.Binary is not null);

    [Theory, MemberData(nameof(WithLayout))]
    public void Between_packed_convolutions_it_works_in_NHWC(string name)
    {
        (OnnxModel model, int[] input) = OperatorExamples.Network(name);
        OnnxModel packed = PackingPass.Pack(model, ComplementaryPattern.Parse("4:4"), new PackingOptions { AllowLarger = true }).Model;
        bool endsFlat = model.FindNode("last")!.Is("Gemm");
        Assert.Equal(endsFlat ? 1 : 2, packed.Nodes.Count(node => node.Is("Transpose")));
        AssertSame(model, UnpackingPass.Unpack(packed), input);
    }

    [Theory, MemberData(nameof(WithChannels))]
    public void Between_layers_it_lets_an_order_of_channels_through(string name)
    {
        (OnnxModel model, int[] input) = OperatorExamples.Network(name);
        PermutationPassResult result = PermutationPass.Apply(model, ComplementaryPattern.Parse("1:4"), new PermutationPassOptions
        {
            MaxEvaluations = 2000,
        });
        PermutedLayer last = result.Layers.Single(layer => layer.Name == "last");
        Assert.Equal((PermutationOutcome.Folded, null), (last.Outcome, last.Reason));
        AssertSame(model, result.Model, input);
    }

    [Fact]
    public void A_version_of_another_meaning_is_a_border_for_orders_of_channels()
    {
        (OnnxModel model, _) = OperatorExamples.Network("Add");
        model.SetOpsetVersion("", 6);
        PermutedLayer last = Assert.Single(
            PermutationPass.Apply(model, ComplementaryPattern.Parse("1:4")).Layers, layer => layer.Name == "last");
        Assert.NotEqual(PermutationOutcome.Folded, last.Outcome);
        Assert.StartsWith("Add 'Add.b' depends on the order of 'b'", last.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_of_another_meaning_is_a_border_of_NHWC_regions()
    {
        (OnnxModel model, _) = OperatorExamples.Network("Mul");
        model.SetOpsetVersion("", 6);
        OnnxModel packed = PackingPass.Pack(model, ComplementaryPattern.Parse("4:4"), new PackingOptions { AllowLarger = true }).Model;
        Assert.Equal(4, packed.Nodes.Count(node => node.Is("Transpose")));
    }

    [Theory, MemberData(nameof(WithFunction))]
    public void Its_function_of_numbers_is_the_operators(string name)
    {
        OnnxOperator row = OnnxOperators.Get(name);
        string[] constants = row.Binary is not null ? ["k"] : name == "Clip" ? ["low", "high"] : [];
        OnnxModel model = Graphs.Of(["N"], ["N"], [new NodeProto(name, "n", ["x", .. constants], ["y"])],
            [TensorData.Scalar("k", 0.75f), TensorData.Scalar("low", -0.5f), TensorData.Scalar("high", 2f)], Math.Max(17, row.Versions[0]));
        model.RemoveUnusedInitializers();
        float[] x = [.. Oracle.Uniform(1, 200, -4, 4), .. Oracle.Uniform(2, 50, -1, 1), -2.5f, -0.5f, 0, 0.5f, 1, 2.5f];
        float[] y = Oracle.Run(model, x, [x.Length])["y"].Data;
        var op = OperatorNode.Find(model, model.Nodes[0])!;
        Func<double, double> function = row.Unary?.Invoke(op) ?? (v => row.Binary!(v, 0.75));
        for (int i = 0; i < x.Length; i++)
        {
            float expected = y[i], actual = (float)function(x[i]);
            Assert.True(
                expected.Equals(actual) || Math.Abs(expected - actual) <= 2e-5 * Math.Max(1, Math.Abs(expected)),
                $"{name}({x[i]}) is {expected}, and the row says {actual}.");
        }
    }

    private static TheoryData<string> Names(Func<OnnxOperator, bool> where) =>
        [.. OnnxOperators.All.Where(row => row.Domain.Length == 0 && where(row)).Select(row => row.Name)];

    private static void AssertSame(OnnxModel before, OnnxModel after, int[] shape)
    {
        float[] x = Oracle.Uniform(3, shape.Aggregate(1, (a, b) => a * b), -1, 1);
        (float[] expected, int[] expectedShape) = Oracle.Run(before, x, shape)["y"];
        (float[] actual, int[] actualShape) = Oracle.Run(after, x, shape)["y"];
        Assert.Equal(expectedShape, actualShape);
        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        Oracle.AssertClose(expected, actual, 1e-5f);
    }
}
