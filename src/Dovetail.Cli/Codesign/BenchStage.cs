using Dovetail.Cli.Reports;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Rewriting;
using Dovetail.Runtime.OnnxRuntime.Benchmarking;

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
        foreach (PackedLayer layer in PackedLayers(packed)) // before anything is measured
            _ = WeightLayers.Find(dense).FirstOrDefault(other => other.Name == layer.Name)
                ?? throw new DovetailException($"The dense model has no layer '{layer.Name}' to compare with; expected the network that was packed. It has {string.Join(", ", WeightLayers.Find(dense).Select(other => other.Name))}.");
        Comparison network = NetworkBenchmark.Compare(dense.ToBytes(), packed.ToBytes(), null, options, cancellation);
        step("network");
        OnnxModel folded = dense.Clone();
        BatchNormFolding.Fold(folded);
        IReadOnlyDictionary<string, WeightLayer> layers = WeightLayers.Find(folded).ToDictionary(layer => layer.Name);
        Dictionary<string, string> kernels = PackedLayers(packed).ToDictionary(layer => layer.Name, layer => KernelNames.Of(layer.Weights));
        var pairs = PackedLayers(packed).Select(layer => new BenchmarkLayer(
            layers[layer.Name].Workload, layer.Weights.Pattern, layer.Weights.DType,
            GraphSlicer.SingleLayer(folded, layer.Name).ToBytes(),
            GraphSlicer.SingleLayer(packed, layer.Name).ToBytes()));
        IReadOnlyList<LayerComparison> compared = NetworkBenchmark.CompareLayers(
            pairs, options with { Seconds = LayerSeconds }, new ImmediateProgress<LayerComparison>(layer => step(layer.Name)), cancellation);
        return new SpeedInfo(
            threads, batch, network.Ratio, network.Dense.MedianMicroseconds / 1e3, network.Packed.MedianMicroseconds / 1e3, network.Dense.Runs,
            [.. compared.Select(layer => new LayerSpeedInfo(
                layer.Name, layer.Op, layer.M, layer.N, layer.K, layer.Pattern, layer.DType.ToString().ToLowerInvariant(), kernels[layer.Name],
                layer.DenseMicroseconds, layer.PackedMicroseconds, layer.Ratio, layer.UsefulGflops))]);
    }

    /// <summary>The layers that are packed, in order.</summary>
    public static IReadOnlyList<PackedLayer> PackedLayers(OnnxModel packed) =>
        [.. PackedModelReader.Read(packed).Layers.Where(layer => !layer.Weights.Pattern.IsDense)];
}
