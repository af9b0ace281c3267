using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Rewriting.Choice;
using Dovetail.Onnx.Rewriting.Packing;

namespace Dovetail.Onnx.Tests.Rewriting.Choice;

/// <summary>What is packed where speed decides: by synthetic times, so that no clock is asked.</summary>
public sealed class PackingChoiceTests
{
    private const double Transpose = 3;
    private static readonly ComplementaryPattern s_pattern = new(1, 4);

    /// <summary>The oracle packs every subset of the layers and counts the Transposes that really stand in the graph.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    public void No_subset_of_the_layers_is_faster(int seed, bool residual)
    {
        const int Layers = 5;
        OnnxModel model = Network(Layers, residual);
        var random = new Random(seed);
        for (int trial = 0; trial < 5; trial++)
        {
            (double Dense, double Packed)[] times = [.. Enumerable.Range(0, Layers).Select(_ => (10 + random.NextDouble() * 8, 10 + random.NextDouble() * 8))];
            double least = Enumerable.Range(0, 1 << Layers).Min(mask => Total(mask));
            IReadOnlyDictionary<string, LayerPrediction> choice = PackingChoice.Choose(
                model.Clone(), Enumerable.Range(0, Layers).ToDictionary(i => $"conv{i}", _ => s_pattern), new FasterLayers(new FakeTimes(Of, Transpose), LeastGain: 0));
            Assert.Equal(least, Total(Enumerable.Range(0, Layers).Sum(i => choice[$"conv{i}"].IsPacked ? 1 << i : 0)), 1e-6);

            (double, double) Of(string name) => times[name[^1] - '0'];

            double Total(int mask) =>
                times.Select((time, i) => (mask >> i & 1) != 0 ? time.Packed : time.Dense).Sum() + (mask == 0 ? 0 : Transpose * Transposes(mask));
        }

        int Transposes(int mask)
        {
            var dense = Enumerable.Range(0, Layers).Where(i => (mask >> i & 1) == 0).ToDictionary(i => $"conv{i}", _ => "the oracle says so");
            return PackingPass.Pack(model, s_pattern, new PackingOptions { KeepDense = dense, AllowLarger = true }).Model.Nodes.Count(node => node.Is("Transpose"));
        }
    }

    [Fact]
    public void A_slow_layer_between_fast_ones_is_packed_where_Transposes_would_cost_more()
    {
        OnnxModel model = Network(3, residual: false);
        (double, double) Of(string name) => name == "conv1" ? (12, 15) : (50, 5);
        PackingResult cheap = Pack(model, new FakeTimes(Of, 1)), dear = Pack(model, new FakeTimes(Of, 2));
        Assert.Equal([null, "dense 12.0 µs, packed 15.0 µs predicted, and 2.0 µs of Transposes less", null], cheap.Layers.Select(layer => layer.DenseReason));
        Assert.All(dear.Layers, layer => Assert.Equal(s_pattern, layer.Pattern));
        Assert.Equal(new LayerPrediction(12, 15, -4, true), dear.Layers[1].Prediction);
    }

    [Fact]
    public void A_fast_layer_alone_stays_dense_where_Transposes_eat_the_gain()
    {
        OnnxModel model = Network(3, residual: false);
        (double, double) Of(string name) => name == "conv1" ? (12, 8) : (10, 30);
        PackingResult cheap = Pack(model, new FakeTimes(Of, 1));
        Assert.Equal([false, true, false], cheap.Layers.Select(layer => layer.Pattern is not null));
        string message = Assert.Throws<PatternException>(() => Pack(model, new FakeTimes(Of, 5))).Message;
        Assert.Contains("Packing would not make 'test' faster here", message);
        Assert.Contains("conv1: dense 12.0 µs, packed 8.0 µs predicted, and 10.0 µs of Transposes around it", message);
    }

    [Fact]
    public void A_gain_that_is_too_small_is_said_to_be()
    {
        OnnxModel model = Graphs.Sparse("mlp", 1, "1:16");
        PackingResult result = PackingPass.Pack(model, new ComplementaryPattern(1, 16), new PackingOptions
        {
            Faster = new FasterLayers(new FakeTimes(name => name == "fc2" ? (10, 9.8) : (10, 2), 0)),
            KeepDense = new Dictionary<string, string> { ["head"] = "it is the head" },
        });
        Assert.Equal([null, "dense 10.0 µs, packed 9.8 µs predicted: 2.0% gained, 5% asked for", "it is the head"], result.Layers.Select(layer => layer.DenseReason));
        Assert.Equal([true, false], result.Layers.Take(2).Select(layer => layer.Prediction!.IsPacked));
        Assert.Null(result.Layers[2].Prediction);
        Assert.All(PackingPass.Pack(model, new ComplementaryPattern(1, 16)).Layers, layer => Assert.Null(layer.Prediction)); // only where it is asked for
    }

    private static PackingResult Pack(OnnxModel model, ILayerTimes times) =>
        PackingPass.Pack(model, s_pattern, new PackingOptions { Faster = new FasterLayers(times), AllowLarger = true });

    // Convolutions in a row with ReLU between them and a Softmax over the channels at the end, which stays in NCHW.
    private static OnnxModel Network(int layers, bool residual)
    {
        var nodes = new List<NodeProto>();
        var weights = new List<TensorProto>();
        string last = "x";
        for (int i = 0; i < layers; i++)
        {
            nodes.Add(new NodeProto("Conv", $"conv{i}", [last, $"w{i}"], [$"c{i}"]));
            nodes.Add(new NodeProto("Relu", $"relu{i}", [$"c{i}"], [$"r{i}"]));
            weights.Add(Graphs.Random($"w{i}", i + 1, 8, 8, 1, 1));
            last = $"r{i}";
            if (residual && i == 2)
            {
                nodes.Add(new NodeProto("Add", "add", ["r0", "r2"], ["sum"]));
                last = "sum";
            }
        }

        nodes.Add(new NodeProto("Softmax", "softmax", [last], ["y"]).With("axis", 1));
        OnnxModel model = Graphs.Of([1, 8, 6, 6], [1, 8, 6, 6], [.. nodes], [.. weights]);
        Graphs.Project(model, s_pattern);
        return model;
    }
}
