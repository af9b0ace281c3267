using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Pruning;
using Dovetail.Onnx.Zoo;
using Dovetail.Runtime;
using Dovetail.Tests.Kernels;
using Dovetail.Tests.Models;

namespace Dovetail.Benchmarking.Tests;

public sealed class NetworkBenchmarkTests
{
    [Fact]
    public void Comparison_measures_both_models()
    {
        var geometry = new ConvolutionGeometry(14, 14, 3, 3, 1, 1, 1, 1, 1, 1);
        var layer = new LayerCase("1:16", 64, 64, geometry, Residual: false);
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(6));
        byte[] dense = Fix(TestModels.DenseConv(layer, Packer.Unpack(weights), null)),
            packed = Fix(TestModels.PackedConv(layer, weights, null));
        var workload = new LayerWorkload("conv", "Conv", 64, 196, 576, geometry);
        LayerResult result = NetworkBenchmark.MeasureLayer(
            new BenchmarkLayer(workload, weights, FloatOperands.Float32, dense, packed), new BenchmarkOptions(Seconds: 0.1));
        Assert.Equal((workload, weights.Pattern, DType.Float32), (result.Workload, result.Pattern, result.DType));
        Assert.Equal(KernelNames.Of(weights, 196), result.Kernel);
        foreach (Timing timing in new[] { result.Dense, result.Packed, result.DenseAlone })
        {
            Assert.True(timing.Runs >= 5);
            Assert.InRange(timing.MedianMicroseconds, timing.P10Microseconds, timing.P90Microseconds);
            Assert.True(timing.P10Microseconds > 0);
        }

        Assert.Equal(2.0 * workload.DenseMacs / 16 / result.Packed.MedianMicroseconds / 1e3, result.UsefulGflops, 1e-9);
        Assert.Equal(result.Dense.MedianMicroseconds / result.Packed.MedianMicroseconds, result.Ratio);

        byte[] Fix(OnnxModel model)
        {
            model.Graph.Inputs[0] = ValueInfoProto.Tensor("X", OnnxType.Float, "n", 14, 14, 64);
            return model.ToBytes();
        }
    }

    [Fact]
    public void A_network_is_measured_whole_and_layer_by_layer()
    {
        OnnxModel sparse = PruningPass.Prune(ZooModels.Create("fashion-cnn", seed: 11), ComplementaryPattern.Parse("1:16")).Model;
        OnnxModel packed = PackingPass.PackDeclared(sparse, new PackingOptions { BFloat16Operands = true }).Model;
        var pair = new NetworkPair(packed, sparse);
        var told = new Told();
        IReadOnlyList<LayerResult> layers = NetworkBenchmark.MeasureLayers(
            pair, new BenchmarkOptions(Batch: 2, Seconds: 0.01), progress: told);
        Assert.Equal(layers, told);
        Assert.Equal(
            PackedModelReader.Read(packed).Layers.Where(l => !l.Weights.Pattern.IsDense).Select(l => l.Workload),
            layers.Select(l => l.Workload));
        LayerResult layer = layers.Single(l => l.Workload.Name == "block1.conv1");
        Assert.Equal((128, 16, 1152), (layer.Workload.M, layer.Workload.N, layer.Workload.K));
        Assert.Equal(
            KernelNames.Of(pair.PackedLayers.Single(l => l.Name == "block1.conv1").Weights, 2 * 16, FloatOperands.BFloat16), layer.Kernel);

        NetworkResult result = NetworkBenchmark.Measure(pair, new BenchmarkOptions(Seconds: 0.05), int8: true);
        Assert.Equal(["packed", "dense", "dense int8"], result.Subjects.Select(s => s.Name));
        Assert.Null(result.NoDenseInt8);
        Assert.Equal(result.Dense.Latency.MedianMicroseconds / result.Packed.Latency.MedianMicroseconds, result.Ratio);
        Assert.Equal(result.DenseInt8!.Latency.MedianMicroseconds / result.Packed.Latency.MedianMicroseconds, result.RatioInt8);
        Assert.Equal(result.Ratio, result.ThroughputRatio, 1e-9); // one call at a time
        using var sleeper = new Sleeper();
        NetworkResult other = NetworkBenchmark.Measure(pair, new BenchmarkOptions(Seconds: 0.05), dense: _ => sleeper);
        Assert.Equal((sleeper.Name, 1000.0), (other.Dense.Name, other.Dense.Latency.MedianMicroseconds));
        Assert.True(sleeper.IsDisposed);
        Assert.Equal((null, null, null), (other.DenseInt8, other.NoDenseInt8, other.RatioInt8));
    }

    [Fact]
    public void A_spent_budget_measures_the_network_as_shortly_as_it_can_and_no_layers()
    {
        OnnxModel sparse = PruningPass.Prune(ZooModels.Create("mlp", seed: 11), ComplementaryPattern.Parse("1:16")).Model;
        var pair = new NetworkPair(PackingPass.PackDeclared(sparse).Model, sparse);
        var clock = new Clock();
        var budget = new TimeBudget(1, clock);
        clock.Advance(2);
        foreach (int callers in (int[])[1, 3])
        {
            NetworkResult result = NetworkBenchmark.Measure(pair, new BenchmarkOptions(Seconds: 60), callers, int8: true, budget: budget);
            Assert.Equal((null, "there is no time for it"), (result.DenseInt8, result.NoDenseInt8));
            Assert.All(result.Subjects, subject => Assert.InRange(subject.Latency.Runs, 1, 1000));
        }

        Assert.Empty(NetworkBenchmark.MeasureLayers(pair, new BenchmarkOptions(Seconds: 60), budget));
    }

    [Fact]
    public void Layers_inside_branches_are_measured_with_the_sizes_and_inputs_that_are_given()
    {
        OnnxModel model = Branches();
        OnnxModel packed = PackingPass.Pack(
            PruningPass.Prune(model, ComplementaryPattern.Parse("1:8"), new PruningOptions { Head = true }).Model,
            ComplementaryPattern.Parse("1:8"), new PackingOptions { AllowLarger = true }).Model;
        var pair = new NetworkPair(packed, model, new Dictionary<string, long> { ["tokens"] = 6 });
        Assert.Equal(2, pair.PackedLayers.Count);
        Assert.All(pair.PackedLayers, layer => Assert.Equal(6, layer.Workload.N));
        var options = new BenchmarkOptions(Seconds: 0.01)
        {
            Sizes = pair.Sizes,
            Inputs = [new InputTensor("choice", new[] { true }, [])],
        };
        Assert.Equal(pair.PackedLayers.Select(layer => layer.Name), NetworkBenchmark.MeasureLayers(pair, options)
            .Select(layer => layer.Workload.Name));
        Assert.True(NetworkBenchmark.Measure(pair, options).Ratio > 0);
        Assert.Contains("State the input's dimensions", Assert.Throws<OperatorException>(
            () => NetworkBenchmark.Measure(new NetworkPair(packed, model, pair.Sizes), options with { Sizes = Sizeless })).Message);
    }

    private static IReadOnlyDictionary<string, long> Sizeless => new Dictionary<string, long>();

    /// <summary>x[1, tokens, 64] times one of two matrices, by a boolean input.</summary>
    private static OnnxModel Branches()
    {
        var random = new Random(4);
        var graph = new GraphProto { Name = "branches" };
        graph.Inputs.Add(ValueInfoProto.Tensor("x", OnnxType.Float, 1, "tokens", 64));
        graph.Inputs.Add(ValueInfoProto.Tensor("choice", OnnxType.Bool, []));
        var choose = new NodeProto("If", "choose", ["choice"], ["y"]);
        foreach (string name in (string[])["then_branch", "else_branch"])
        {
            var branch = new GraphProto { Name = name };
            branch.Initializers.Add(TensorData.Create<float>(
                $"w_{name}", [64, 64], [.. Enumerable.Range(0, 64 * 64).Select(_ => random.NextSingle() - 0.5f)]));
            branch.Nodes.Add(new NodeProto("MatMul", "product", ["x", $"w_{name}"], [$"y_{name}"]));
            branch.Outputs.Add(ValueInfoProto.Tensor($"y_{name}", OnnxType.Float, 1, "tokens", 64));
            choose.Attributes.Add(new AttributeProto { Name = name, G = branch, Type = AttributeType.Graph });
        }

        graph.Nodes.Add(choose);
        graph.Outputs.Add(ValueInfoProto.Tensor("y", OnnxType.Float, 1, "tokens", 64));
        return new OnnxModel(new ModelProto { IrVersion = 8, Graph = graph, OpsetImports = { new OperatorSetIdProto { Version = 17 } } });
    }

    [Fact]
    public void The_dense_side_is_the_unpacked_network_unless_given_and_has_its_layers()
    {
        OnnxModel model = ZooModels.Create("mlp", seed: 2);
        OnnxModel packed = PackingPass.PackDeclared(PruningPass.Prune(model, ComplementaryPattern.Parse("1:16")).Model).Model;
        var pair = new NetworkPair(packed);
        Assert.Equal(["fc1", "fc2"], pair.PackedLayers.Select(l => l.Name));
        Assert.DoesNotContain(pair.Dense.Nodes, node => node.Domain == OperatorSet.Domain);
        Assert.False(pair.DenseIsQuantized);
        Assert.StartsWith(
            "The dense model has no layer 'fc1' to compare with; expected the network that was packed. It has stem, ",
            Assert.Throws<BenchmarkException>(() => new NetworkPair(packed, ZooModels.Create("fashion-cnn", 1))).Message);

        OnnxModel quantized = QuantizationPass.Quantize(
            model, QuantizationPass.TensorsToCalibrate(model).ToDictionary(t => t, _ => (Min: -4f, Max: 4f)));
        NetworkResult result = NetworkBenchmark.Measure(
            new NetworkPair(packed, quantized), new BenchmarkOptions(Seconds: 0.02), int8: true);
        Assert.Equal((null, "the dense network is int8 itself"), (result.DenseInt8, result.NoDenseInt8));
    }

    private sealed class Told : List<LayerResult>, IProgress<LayerResult>
    {
        public void Report(LayerResult value) => Add(value);
    }

    /// <summary>Says that each call took a millisecond.</summary>
    private sealed class Sleeper : IBenchmarkSubject
    {
        public string Name => "sleeper";

        public double LoadMilliseconds => 1;

        public bool IsDisposed { get; private set; }

        public double Run(int lane) => 1000;

        public void Dispose() => IsDisposed = true;
    }
}
