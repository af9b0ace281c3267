using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Onnx.Tests.Passes.Pack;

/// <summary>A packed file is never larger than its source.</summary>
public sealed class PackedFileSizeTests
{
    public static TheoryData<int, string> Cases
    {
        get
        {
            var cases = new TheoryData<int, string>();
            foreach (string pattern in new[] { "1:2", "1:4", "3:4", "7:8", "8:8", "1:16", "15:16", "1:2/out" })
                foreach (int channels in new[] { 16, 17, 64, 100 })
                    cases.Add(channels, pattern);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Tiny_layers_beside_one_that_gains(int channels, string text)
    {
        var pattern = ComplementaryPattern.Parse(text);
        OnnxModel model = Chain([.. Enumerable.Repeat(channels, 6)], kernel: 1);
        Graphs.Project(model, pattern);
        long before = model.ToBytes().Length;
        Assert.Equal(before, model.ByteCount);
        try
        {
            PackingResult result = PackingPass.Pack(model, pattern);
            Assert.InRange(result.Model.ToBytes().Length, 1, before);
            Assert.All(result.Layers, l => Assert.True(l.PackedBytes <= l.DenseBytes));
            Assert.All(result.Layers.Where(l => l.Pattern is null), l => Assert.NotNull(l.DenseReason));
        }
        catch (NothingPackedException error)
        {
            // Nothing gains: every layer says why.
            Assert.Matches("would take \\d+ bytes|fewer than the group|non-zeros|saves", error.Message);
        }
    }

    [Fact]
    public void A_layer_that_would_not_shrink_stays_dense_and_says_so()
    {
        OnnxModel model = Chain([64, 64, 64], kernel: 3);
        Graphs.Project(model, ComplementaryPattern.Parse("1:16"));
        var options = new PackingOptions
        {
            LayerPatterns = new Dictionary<string, ComplementaryPattern> { ["conv0"] = ComplementaryPattern.Parse("16:16") },
        };
        PackingResult result = PackingPass.Pack(model, ComplementaryPattern.Parse("1:16"), options);
        Assert.Equal("packed it would take 165888 bytes, and dense it takes 147456", result.Layers[0].DenseReason);
        Assert.Null(result.Layers[1].DenseReason);
        Assert.NotNull(PackingPass.Pack(model, ComplementaryPattern.Parse("1:16"), options with { AllowLarger = true }).Layers[0].Pattern);
    }

    [Fact]
    public void Small_layers_stay_dense_where_their_nodes_cost_more_than_they_save()
    {
        OnnxModel model = Chain([16, 16, 16, 16, 16], kernel: 1);
        Graphs.Project(model, ComplementaryPattern.Parse("15:16"));
        string message = Assert.Throws<NothingPackedException>(() => PackingPass.Pack(model, ComplementaryPattern.Parse("15:16"))).Message;
        Assert.Contains("conv0: packed it would take 1088 bytes, and dense it takes 1024", message);
        model = Chain([16, 16, 16], kernel: 1);
        Graphs.Project(model, ComplementaryPattern.Parse("13:16"));
        message = Assert.Throws<NothingPackedException>(() => PackingPass.Pack(model, ComplementaryPattern.Parse("13:16"))).Message;
        Assert.Contains("conv1: it satisfies 13:16, and packing it saves 80 bytes, fewer than the nodes around it take", message);
    }

    // Convolutions in a row over a 6×6 image, each followed by a Softmax over the channels, which stays in NCHW.
    private static OnnxModel Chain(int[] channels, int kernel)
    {
        var nodes = new List<NodeProto>();
        var weights = new List<TensorProto>();
        for (int i = 0; i < channels.Length - 1; i++)
        {
            weights.Add(Graphs.Random($"w{i}", i, channels[i + 1], channels[i], kernel, kernel));
            nodes.Add(new NodeProto("Conv", $"conv{i}", [i == 0 ? "x" : $"s{i}", $"w{i}"], [$"c{i}"])
                .With("pads", [.. Enumerable.Repeat(kernel / 2, 4)]));
            nodes.Add(new NodeProto("Softmax", $"softmax{i}", [$"c{i}"], [i == channels.Length - 2 ? "y" : $"s{i + 1}"]).With("axis", 1));
        }

        return Graphs.Of(["N", channels[0], 6, 6], ["N", channels[^1], 6, 6], [.. nodes], [.. weights]);
    }
}
