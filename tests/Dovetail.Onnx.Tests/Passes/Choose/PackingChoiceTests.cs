using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Choose;
using Dovetail.Onnx.Passes.Pack;

namespace Dovetail.Onnx.Tests.Passes.Choose;

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
        AssertBestOfAllSubsets(Network(5, residual), 5, seed);
    }

    /// <summary>What stands between the convolutions can work in NHWC, or cannot: prediction and packing pass must agree.</summary>
    [Theory]
    [InlineData("Relu")]
    [InlineData("BatchNormalization")]
    [InlineData("Add a number")]
    [InlineData("Add one a channel")]
    [InlineData("Add one a column")]
    [InlineData("Add an image")]
    [InlineData("Mul by another image")]
    [InlineData("Concat with another image")]
    [InlineData("Concat with a constant")]
    [InlineData("Concat of bytes with a constant")]
    [InlineData("Concat of columns")]
    [InlineData("Gather channels")]
    [InlineData("Gather columns")]
    [InlineData("Split")]
    [InlineData("Pad")]
    [InlineData("Pad two axes")]
    [InlineData("Resize nearest")]
    [InlineData("Resize linear")]
    [InlineData("MaxPool")]
    [InlineData("MaxPool by columns")]
    [InlineData("QuantizeLinear by tensor")]
    [InlineData("QuantizeLinear by channel")]
    public void No_subset_of_the_layers_is_faster_around(string between)
    {
        for (int seed = 1; seed <= 3; seed++)
            AssertBestOfAllSubsets(Network(4, residual: false, between), 4, seed);
    }

    private static void AssertBestOfAllSubsets(OnnxModel model, int layers, int seed)
    {
        var random = new Random(seed);
        int[] transposes = [.. Enumerable.Range(0, 1 << layers).Select(mask => mask == 0 ? 0 : Transposes(mask))];
        for (int trial = 0; trial < 5; trial++)
        {
            (double Dense, double Packed)[] times = [
                .. Enumerable.Range(0, layers).Select(_ => (10 + random.NextDouble() * 8, 10 + random.NextDouble() * 8))];
            double least = Enumerable.Range(0, 1 << layers).Min(mask => Total(mask));
            IReadOnlyDictionary<string, LayerPrediction> choice = PackingChoice.Choose(
                model.Clone(), Enumerable.Range(0, layers).ToDictionary(i => $"conv{i}", _ => s_pattern),
                new FasterLayers(new FakeTimes(Of, Transpose), LeastGain: 0));
            Assert.Equal(least, Total(Enumerable.Range(0, layers).Sum(i => choice[$"conv{i}"].IsPacked ? 1 << i : 0)), 1e-6);

            (double, double) Of(string name) => times[name[^1] - '0'];

            double Total(int mask) =>
                times.Select((time, i) => (mask >> i & 1) != 0 ? time.Packed : time.Dense).Sum() + Transpose * transposes[mask];
        }

        int Transposes(int mask)
        {
            var dense = Enumerable.Range(0, layers).Where(i => (mask >> i & 1) == 0).ToDictionary(
                i => $"conv{i}", _ => "the oracle says so");
            return PackingPass.Pack(model, s_pattern, new PackingOptions
            {
                KeepDense = dense,
                AllowLarger = true,
            }).Model.Nodes.Count(node => node.Is("Transpose"));
        }
    }

    [Fact]
    public void A_slow_layer_between_fast_ones_is_packed_where_Transposes_would_cost_more()
    {
        OnnxModel model = Network(3, residual: false);
        (double, double) Of(string name) => name == "conv1" ? (12, 15) : (50, 5);
        PackingResult cheap = Pack(model, new FakeTimes(Of, 1)), dear = Pack(model, new FakeTimes(Of, 2));
        Assert.Equal([null, "dense 12.0 µs, packed 15.0 µs predicted, and 2.0 µs of Transposes less", null], cheap.Layers.Select(
            layer => layer.DenseReason));
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
        string message = Assert.Throws<NothingPackedException>(() => Pack(model, new FakeTimes(Of, 5))).Message;
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
        Assert.Equal([null, "dense 10.0 µs, packed 9.8 µs predicted: 2.0% gained, 5% asked for", "it is the head"], result.Layers.Select(
            layer => layer.DenseReason));
        Assert.Equal([true, false], result.Layers.Take(2).Select(layer => layer.Prediction!.IsPacked));
        Assert.Null(result.Layers[2].Prediction);
        // only where it is asked for
        Assert.All(PackingPass.Pack(model, new ComplementaryPattern(1, 16)).Layers, layer => Assert.Null(layer.Prediction));
    }

    private static PackingResult Pack(OnnxModel model, ILayerTimes times) =>
        PackingPass.Pack(model, s_pattern, new PackingOptions { Faster = new FasterLayers(times), AllowLarger = true });

    // Convolutions in a row with ReLU (or another operator) between them and a Softmax over the channels at the end, which stays in NCHW.
    private static OnnxModel Network(int layers, bool residual, string between = "Relu")
    {
        var nodes = new List<NodeProto>();
        var weights = new List<TensorProto>();
        string last = "x";
        for (int i = 0; i < layers; i++)
        {
            nodes.Add(new NodeProto("Conv", $"conv{i}", [last, $"w{i}"], [$"c{i}"]));
            int channels = between.StartsWith("Concat", StringComparison.Ordinal) && between != "Concat of columns" && i > 0 ? 16 : 8;
            weights.Add(Graphs.Random($"w{i}", i + 1, 8, channels, 1, 1));
            foreach (NodeProto node in Between(between, i, weights))
                nodes.Add(node);
            last = $"r{i}";
            if (residual && i == 2)
            {
                nodes.Add(new NodeProto("Add", "add", ["r0", "r2"], ["sum"]));
                last = "sum";
            }
        }

        nodes.Add(new NodeProto("Softmax", "softmax", [last], ["y"]).With("axis", 1));
        OnnxModel model = Graphs.Of([1, 8, 8, 8], [1, 8, 8, 8], [.. nodes], [.. weights], opset: 18);
        Graphs.Project(model, s_pattern);
        return model;
    }

    // From c{i} to r{i}.
    private static NodeProto[] Between(string between, int i, List<TensorProto> constants)
    {
        string c = $"c{i}", r = $"r{i}";
        switch (between)
        {
            case "Relu":
                return [Node("Relu", [c])];
            case "BatchNormalization": // behind ReLU: it cannot be folded
                return [new NodeProto("Relu", $"relu{i}", [c], [$"a{i}"]), Node(
                    "BatchNormalization", [$"a{i}", .. Enumerable.Range(0, 4).Select(p => Constant(Graphs.Random($"{p}", p, 8)))])];
            case "Add a number":
                return [Node("Add", [c, Constant(Graphs.Random("k", 1))])];
            case "Add one a channel":
                return [Node("Add", [c, Constant(Graphs.Random("k", 1, 8, 1, 1))])];
            case "Add one a column":
                return [Node("Add", [c, Constant(Graphs.Random("k", 1, 8))])];
            case "Add an image":
                return [Node("Add", [c, Constant(Graphs.Random("k", 1, 1, 8, 8, 8))])];
            case "Mul by another image":
                return [InNchw(), Node("Mul", [c, $"s{i}"])];
            case "Concat with another image":
                return [InNchw(), Node("Concat", [c, $"s{i}"]).With("axis", 1)];
            case "Concat with a constant":
                return [Node("Concat", [c, Constant(Graphs.Random("k", 1, 1, 8, 8, 8))]).With("axis", -3)];
            case "Concat of bytes with a constant": // which is not made floats
                string scale = Constant(TensorData.Scalar("scale", 0.1f)), zero = Constant(TensorData.Scalar("zero", (byte)3));
                return
                [
                    new NodeProto("QuantizeLinear", $"q{i}", [c, scale, zero], [$"q{i}"]),
                    new NodeProto(
                        "Concat", $"concat{i}", [$"q{i}", Constant(TensorData.Create<byte>("k", [1, 8, 8, 8], new byte[512]))], [$"k{i}"])
                        .With("axis", 1),
                    Node("DequantizeLinear", [$"k{i}", scale, zero]),
                ];
            case "Concat of columns":
                return [Node("Concat", [c, c]).With("axis", 3)];
            case "Gather channels":
                return [Node("Gather", [c, Constant(Graphs.Ints("k", 7, 6, 5, 4, 3, 2, 1, 0))]).With("axis", 1)];
            case "Gather columns":
                return [Node("Gather", [c, Constant(Graphs.Ints("k", 7, 6, 5, 4, 3, 2, 1, 0))]).With("axis", 3)];
            case "Split":
                return [
                    new NodeProto("Split", $"split{i}", [c, Constant(Graphs.Ints("k", 4, 4))], [$"a{i}", $"b{i}"]).With("axis", 1),
                    Node("Concat", [$"b{i}", $"a{i}"]).With("axis", 1)];
            case "Pad":
                return [Node("Pad", [c, Constant(Graphs.Ints("k", 0, 0, 1, 0, 0, 0, 0, 1))])];
            case "Pad two axes":
                return [Node("Pad", [c, Constant(Graphs.Ints("k", 1, 0, 0, 1)), "", Constant(Graphs.Ints("axes", 2, 3))])];
            case "Resize nearest":
                return [Node("Resize", [c, "", "", Constant(Graphs.Ints("k", 1, 8, 4, 4))])];
            case "Resize linear":
                return [Node("Resize", [c, "", "", Constant(Graphs.Ints("k", 1, 8, 4, 4))]).With("mode", "linear")];
            case "MaxPool":
                return [Node("MaxPool", [c]).With("kernel_shape", [1, 1])];
            case "MaxPool by columns":
                return [Node("MaxPool", [c]).With("kernel_shape", [1, 1]).With("storage_order", 1)];
            case "QuantizeLinear by tensor":
                return Quantized([], 0);
            case "QuantizeLinear by channel":
                return Quantized([8], 1);
            default:
                throw new ArgumentException(between);
        }

        NodeProto InNchw() => new NodeProto("Softmax", $"softmax{i}", ["x"], [$"s{i}"]).With("axis", 1);

        NodeProto Node(string op, IEnumerable<string> inputs) => new(op, $"between{i}", inputs, [r]);

        NodeProto[] Quantized(long[] dims, int axis)
        {
            string scale = Constant(TensorData.Create<float>("scale", dims, Enumerable.Repeat(0.1f, dims.Length == 0 ? 1 : 8).ToArray()));
            return [new NodeProto("QuantizeLinear", $"q{i}", [c, scale], [$"q{i}"]).With("axis", axis), new NodeProto(
                "DequantizeLinear", $"d{i}", [$"q{i}", scale], [r]).With("axis", axis)];
        }

        string Constant(TensorProto tensor)
        {
            tensor.Name = $"{tensor.Name}_{i}";
            constants.Add(tensor);
            return tensor.Name;
        }
    }
}
