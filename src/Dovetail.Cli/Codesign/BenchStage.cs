using Dovetail.Cli.Reports;
using Dovetail.Core.Packing;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Rewriting;
using Dovetail.Onnx.Rewriting.Packing;
using Dovetail.Runtime.Kernels;
using Dovetail.Runtime.Kernels.Dispatch;
using Dovetail.Runtime.OnnxRuntime.Benchmarking;

namespace Dovetail.Cli.Codesign;

/// <summary>Dense against packed on this CPU, whole network and layer by layer, in one process and in turn.</summary>
internal static class BenchStage
{
    private const double NetworkSeconds = 4, LayerSeconds = 0.6;

    /// <param name="dense">The dense network.</param>
    /// <param name="sparse">The sparse network that was packed; its nodes name the layers.</param>
    public static SpeedInfo Run(
        OnnxModel dense, OnnxModel sparse, PackingResult packed, int threads, int batch, int seed,
        Action<string> step, CancellationToken cancellation)
    {
        var options = new BenchmarkOptions(threads, NetworkSeconds, batch, seed);
        Comparison network = NetworkBenchmark.Compare(dense.ToBytes(), packed.Model.ToBytes(), null, options, cancellation);
        step("network");
        OnnxModel folded = sparse.Clone();
        BatchNormFolding.Fold(folded);
        IReadOnlyDictionary<string, WeightLayer> layers = WeightLayers.Find(folded).ToDictionary(layer => layer.Name);
        IReadOnlyDictionary<string, string> kernels = Kernels(PackedModelReader.Read(packed.Model));
        var pairs = packed.Layers
            .Where(report => report.Pattern is not null)
            .Select(report => new BenchmarkLayer(
                layers[report.Name].Workload, report.Pattern!, DType.Float32,
                GraphSlicer.SingleLayer(folded, report.Name).ToBytes(),
                GraphSlicer.SingleLayer(packed.Model, report.Name).ToBytes()));
        IReadOnlyList<LayerComparison> compared = NetworkBenchmark.CompareLayers(
            pairs, options with { Seconds = LayerSeconds }, new ImmediateProgress<LayerComparison>(layer => step(layer.Name)), cancellation);
        return new SpeedInfo(
            threads, batch, network.Ratio, network.Dense.MedianMicroseconds / 1e3, network.Packed.MedianMicroseconds / 1e3, network.Dense.Runs,
            [.. compared.Select(layer => new LayerSpeedInfo(
                layer.Name, layer.Op, layer.M, layer.N, layer.K, layer.Pattern, "float32", kernels[layer.Name],
                layer.DenseMicroseconds, layer.PackedMicroseconds, layer.Ratio, layer.UsefulGflops))]);
    }

    /// <summary>The kernel that this CPU runs each packed layer with.</summary>
    private static Dictionary<string, string> Kernels(PackedModel model)
    {
        var names = new Dictionary<string, string>();
        foreach (PackedLayer layer in model.Layers)
        {
            if (layer.Weights is not PackedTensor<float> weights)
                continue;
            using PreparedLayer<float> prepared = KernelRegistry.Prepare(new Float32Specification(weights));
            names[layer.Name] = prepared.KernelName;
        }

        return names;
    }
}
