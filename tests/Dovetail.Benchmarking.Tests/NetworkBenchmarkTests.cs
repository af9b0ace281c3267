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
        var left = new List<int>();
        IReadOnlyList<LayerResult> layers = NetworkBenchmark.MeasureLayers(pair, new BenchmarkOptions(Batch: 2), Seconds, told);
        Assert.Equal(layers, told);
        Assert.Equal(
            PackedModelReader.Read(packed).Layers.Where(l => !l.Weights.Pattern.IsDense).Select(l => l.Workload),
            layers.Select(l => l.Workload));
        Assert.Equal(Enumerable.Range(1, layers.Count).Reverse(), left);
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

        double Seconds(int layersLeft)
        {
            left.Add(layersLeft);
            return 0.01;
        }
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
