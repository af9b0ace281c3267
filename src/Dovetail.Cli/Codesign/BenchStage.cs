using Dovetail.Benchmarking;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Kernels;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;

namespace Dovetail.Cli.Codesign;

/// <summary>Dense against packed on this CPU, whole network and layer by layer, in one process and in turn.</summary>
internal static class BenchStage
{
    private const double NetworkSeconds = 4, LayerSeconds = 0.6;

    /// <param name="dense">The dense network; its nodes have the names of the packed one's.</param>
    /// <exception cref="DovetailException">The dense network has no layer of a packed layer's name.</exception>
    public static SpeedInfo Run(
        OnnxModel dense, OnnxModel packed, int threads, int batch, int seed, Action<string> step, CancellationToken cancellation)
    {
        var options = new BenchmarkOptions(threads, NetworkSeconds, batch, seed);
        CheckLayers(dense, packed);
        Comparison network = NetworkBenchmark.Compare(dense.ToBytes(), packed.ToBytes(), null, options, cancellation);
        step("network");
        return new SpeedInfo(
            threads, batch, network.Ratio, network.Dense.MedianMicroseconds / 1e3, network.Packed.MedianMicroseconds / 1e3, network.Dense.Runs,
            Layers(dense, packed, options, step, cancellation));
    }

    /// <summary>Each packed layer beside the dense one of its name, <see cref="LayerSeconds"/> for both.</summary>
    public static IReadOnlyList<LayerSpeedInfo> Layers(
        OnnxModel dense, OnnxModel packed, BenchmarkOptions options, Action<string> step, CancellationToken cancellation)
    {
        OnnxModel folded = dense.Clone();
        folded.NameNodes();
        BatchNormFolding.Fold(folded);
        IReadOnlyList<PackedLayer> layers = PackedLayers(packed);
        Dictionary<string, string> kernels = layers.ToDictionary(
            layer => layer.Name, layer => KernelNames.Of(layer.Weights, (long)layer.Workload.N * options.Batch, OperandsOf(packed, layer)));
        var pairs = layers.Select(layer => new BenchmarkLayer(
            layer.Workload, layer.Weights.Pattern, layer.Weights.DType,
            GraphSlicer.SingleLayer(folded, layer.Name).ToBytes(),
            GraphSlicer.SingleLayer(packed, layer.Name).ToBytes()));
        IReadOnlyList<LayerComparison> compared = NetworkBenchmark.CompareLayers(
            pairs, options with { Seconds = LayerSeconds }, new ImmediateProgress<LayerComparison>(layer => step(layer.Name)), cancellation);
        return [.. compared.Select(layer => new LayerSpeedInfo(
            layer.Name, layer.Op, layer.M, layer.N, layer.K, layer.Pattern, layer.DType.ToString().ToLowerInvariant(), kernels[layer.Name],
            layer.DenseMicroseconds, layer.PackedMicroseconds, layer.Ratio, layer.UsefulGflops,
            layer.Times.Dense.P10Microseconds, layer.Times.Packed.P10Microseconds, layer.Times.RatioP10))];
    }

    /// <exception cref="DovetailException">The dense network has no layer of a packed layer's name.</exception>
    public static void CheckLayers(OnnxModel dense, OnnxModel packed)
    {
        OnnxModel named = dense.Clone();
        named.NameNodes();
        foreach (PackedLayer layer in PackedLayers(packed))
            _ = named.FindNode(layer.Name)
                ?? throw new DovetailException($"The dense model has no layer '{layer.Name}' to compare with; expected the network that was packed. It has {string.Join(", ", WeightLayers.Find(named).Select(other => other.Name))}.");
    }

    private static FloatOperands OperandsOf(OnnxModel packed, PackedLayer layer) =>
        packed.Nodes.First(node => node.Name == layer.Name).GetString("operands", "fp32") == "bf16" ? FloatOperands.BFloat16 : FloatOperands.Float32;

    /// <summary>The layers that are packed, in order.</summary>
    public static IReadOnlyList<PackedLayer> PackedLayers(OnnxModel packed) =>
        [.. PackedModelReader.Read(packed).Layers.Where(layer => !layer.Weights.Pattern.IsDense)];
}
