using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Unpack;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Onnx.Tests.Passes.Pack;

/// <summary>Sizes that only a run fixes: tokens, images of any size.</summary>
public sealed class FreeDimensionTests
{
    private static readonly ComplementaryPattern Pattern = ComplementaryPattern.Parse("1:16");

    [Fact]
    public void A_transformer_with_free_tokens_is_packed_with_its_residuals()
    {
        OnnxModel model = ZooModels.Create("gpt2-small", 1, new ZooOptions { Depth = 2 });
        Graphs.Project(model, Pattern);
        OnnxModel packed = PackingPass.Pack(model, Pattern).Model;
        NodeProto[] gemms = [.. packed.Nodes.Where(PackedWeights.IsPacked)];
        Assert.Equal(8, gemms.Length);
        Assert.Equal(
            ["none", "none", "gelu_tanh", "none", "none", "none", "gelu_tanh", "none"],
            gemms.Select(n => n.GetString("activation", "none")));
        Assert.Equal([false, true, false, true, false, true, false, true], gemms.Select(n => n.HasInput(4)));
        Assert.All(gemms, n => Assert.True(n.HasInput(3)));
        Assert.DoesNotContain(packed.Nodes, n => n.Is("MatMul") && packed.FindInitializer(n.Inputs[1]) is not null);
        foreach (int tokens in new[] { 1, 9 })
        {
            float[] input = Oracle.Uniform(tokens, 2 * tokens * 768, -1, 1);
            Oracle.AssertClose(
                Oracle.Run(model, input, [2, tokens, 768])["states"].Data,
                Oracle.Run(UnpackingPass.Unpack(packed), input, [2, tokens, 768])["states"].Data, 2e-5f);
        }
    }

    [Theory]
    [InlineData("NOTSET", true)]
    [InlineData("VALID", true)]
    [InlineData("SAME_UPPER", false)]
    public void A_convolution_over_images_of_any_size_is_packed_unless_its_padding_follows_from_the_size(string autoPad, bool isPacked)
    {
        NodeProto[] nodes = [new NodeProto("Conv", "first", ["x", "w"], ["a"]), new NodeProto("Conv", "second", ["a", "w2"], ["y"])
            .With("auto_pad", autoPad)];
        OnnxModel model = Graphs.Of(
            ["N", 16, "H", "W"], ["N", 16, "h", "w"], nodes, [Graphs.Random("w", 1, 16, 16, 3, 3), Graphs.Random("w2", 2, 16, 16, 3, 3)]);
        Graphs.Project(model, Pattern);
        PackingResult result = PackingPass.Pack(model, Pattern);
        Assert.Null(result.Layers[0].DenseReason);
        if (isPacked)
            Assert.Null(result.Layers[1].DenseReason);
        else
            Assert.Contains("auto_pad SAME", result.Layers[1].DenseReason);
        foreach (int size in new[] { 7, 12 })
        {
            float[] input = Oracle.Uniform(size, 2 * 16 * size * size, -1, 1);
            Oracle.AssertClose(
                Oracle.Run(model, input, [2, 16, size, size])["y"].Data,
                Oracle.Run(UnpackingPass.Unpack(result.Model), input, [2, 16, size, size])["y"].Data, 2e-5f);
        }

        string message = Assert.ThrowsAny<OnnxException>(() => WeightLayers.Find(model)[0].Workload).Message;
        Assert.Contains("Dimension 2 of tensor 'x' float[1, 16, H, W] is not known", message);
        OnnxModel known = GraphSlicer.WithDimensions(model, new Dictionary<string, long> { ["H"] = 9, ["W"] = 8 });
        Assert.Equal(7 * 6, WeightLayers.Find(known)[0].Workload.N);
    }

    [Fact]
    public void Dimensions_that_an_input_does_not_have_are_refused()
    {
        OnnxModel model = ZooModels.Create("gpt2-small", 1, new ZooOptions { Depth = 1 });
        Assert.Contains(
            "no input of 'gpt2-small' has the dimension 'S', expected one of: N, T", Message("S", 4), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("size of dimension 'T' is 0", Message("T", 0));

        string Message(string symbol, long size) =>
            Assert.Throws<OnnxException>(() => GraphSlicer.WithDimensions(model, new Dictionary<string, long> { [symbol] = size })).Message;
    }
}
