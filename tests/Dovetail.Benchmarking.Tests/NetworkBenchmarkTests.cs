using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Zoo;
using Dovetail.Tests.Kernels;
using Dovetail.Tests.Models;

namespace Dovetail.Benchmarking.Tests;

public sealed class NetworkBenchmarkTests
{
    [Fact]
    public void ComparisonMeasuresBothModels()
    {
        var geometry = new ConvolutionGeometry(14, 14, 3, 3, 1, 1, 1, 1, 1, 1);
        var layer = new LayerCase("1:16", 64, 64, geometry, Residual: false);
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(6));
        byte[] dense = Fix(TestModels.DenseConv(layer, Packer.Unpack(weights), null)), packed = Fix(TestModels.PackedConv(layer, weights, null));
        var workload = new LayerWorkload("conv", "Conv", 64, 196, 576, geometry);
        LayerComparison result = Assert.Single(NetworkBenchmark.CompareLayers(
            [new BenchmarkLayer(workload, ComplementaryPattern.Parse("1:16"), DType.Float32, dense, packed)], new BenchmarkOptions(Seconds: 0.1)));
        Assert.Equal((64, 196, 576, "1:16"), (result.M, result.N, result.K, result.Pattern));
        foreach (Timing timing in new[] { result.Times.Dense, result.Times.Packed })
        {
            Assert.True(timing.Runs >= 5);
            Assert.InRange(timing.MedianMicroseconds, timing.P10Microseconds, timing.P90Microseconds);
            Assert.True(timing.P10Microseconds > 0);
        }

        Assert.Equal(2.0 * workload.DenseMacs / 16 / result.PackedMicroseconds / 1e3, result.UsefulGflops, 1e-9);

        byte[] Fix(OnnxModel model)
        {
            model.Graph.Inputs[0] = ValueInfoProto.Tensor("X", OnnxType.Float, "n", 14, 14, 64);
            return model.ToBytes();
        }
    }

    [Fact]
    public void LayersOfANetworkCanBeCompared()
    {
        OnnxModel sparse = ZooModels.Create("fashion-cnn", seed: 11).ProjectOnto(ComplementaryPattern.Parse("1:16"));
        OnnxModel packed = PackingPass.Pack(sparse, ComplementaryPattern.Parse("1:16")).Model;
        PackedLayer layer = PackedModelReader.Read(packed).Layers.First(l => l.Name == "block1.conv1");
        var pair = new BenchmarkLayer(
            layer.Workload, layer.Weights.Pattern, layer.Weights.DType,
            GraphSlicer.SingleLayer(sparse, layer.Name).ToBytes(), GraphSlicer.SingleLayer(packed, layer.Name).ToBytes());
        LayerComparison result = Assert.Single(NetworkBenchmark.CompareLayers([pair], new BenchmarkOptions(Seconds: 0.05)));
        Assert.Equal((128, 16, 1152), (result.M, result.N, result.K));
        Comparison network = NetworkBenchmark.Compare(sparse.ToBytes(), packed.ToBytes(), [1, 1, 28, 28], new BenchmarkOptions(Seconds: 0.05));
        Assert.True(network.Ratio > 0);
    }
}
