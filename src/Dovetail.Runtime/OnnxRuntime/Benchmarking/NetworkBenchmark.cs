using Dovetail.Core.Workloads;

namespace Dovetail.Runtime.OnnxRuntime.Benchmarking;

/// <summary>
/// Dense against packed in the same process, so that both see the same machine.
/// 1. Two sessions with equal threads, sequential execution, one inter-op thread. Threads may spin within a run, but
///    stop when it ends: without that, the idle session's pool would take a processor from the other.
/// 2. Both run in turn, in blocks (<see cref="Interleaving"/>).
/// 3. Medians, with the 10th and 90th percentile beside them.
/// Inputs are bound once; a figure is a whole session run, the runtime's own overhead of some microseconds included.
/// </summary>
public static class NetworkBenchmark
{
    /// <param name="denseModel">Any model; its first input takes what the packed one's takes.</param>
    /// <param name="packedModel">The packed model.</param>
    /// <param name="inputDimensions">Of the first input; null: the model's own with the batch of the options.</param>
    /// <exception cref="OperatorException">A model is refused or does not run.</exception>
    public static Comparison Compare(
        byte[] denseModel, byte[] packedModel, IReadOnlyList<long>? inputDimensions, BenchmarkOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var dense = new BoundModel(denseModel, inputDimensions, options);
        using var packed = new BoundModel(packedModel, inputDimensions, options);
        Timing[] times = Interleaving.Measure([dense.Run, packed.Run], options.Seconds, cancellation);
        return new Comparison(options.Threads, options.Batch, times[0], times[1]);
    }

    /// <summary>
    /// Compares layer by layer, <see cref="BenchmarkOptions.Seconds"/> for each. The dense layer is ONNX's own NCHW
    /// operator: where ONNX Runtime prefers a blocked layout inside, reordering to it and back counts for the dense side.
    /// </summary>
    public static IReadOnlyList<LayerComparison> CompareLayers(
        IEnumerable<BenchmarkLayer> layers, BenchmarkOptions options, IProgress<LayerComparison>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(options);
        var results = new List<LayerComparison>();
        foreach (BenchmarkLayer layer in layers)
        {
            Comparison times = Compare(layer.DenseModel, layer.PackedModel, null, options, cancellation);
            LayerWorkload workload = layer.Workload;
            double usefulOperations = 2.0 * workload.DenseMacs * layer.Pattern.Density * options.Batch;
            results.Add(new LayerComparison(
                workload.Name, workload.Op, workload.M, workload.N, workload.K, layer.Pattern.ToString(), layer.DType,
                times, usefulOperations / (times.Packed.MedianMicroseconds * 1e3)));
            progress?.Report(results[^1]);
        }

        return results;
    }
}
