using Dovetail.Core.Workloads;
using Dovetail.Kernels;

namespace Dovetail.Benchmarking;

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
    /// Compares layer by layer, <see cref="BenchmarkOptions.Seconds"/> for each. A dense convolution runs in the layout
    /// that ONNX Runtime gives it inside a network, blocked or NHWC; its time as a model of its own stands beside it.
    /// </summary>
    public static IReadOnlyList<LayerComparison> CompareLayers(
        IEnumerable<BenchmarkLayer> layers, BenchmarkOptions options, IProgress<LayerComparison>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(options);
        var results = new List<LayerComparison>();
        foreach (BenchmarkLayer layer in layers)
        {
            Timing[] times = MeasureLayer(layer, options, cancellation);
            LayerWorkload workload = layer.Workload;
            double usefulOperations = 2.0 * workload.DenseMacs * layer.Pattern.Density * options.Batch;
            results.Add(new LayerComparison(
                workload.Name, workload.Op, workload.M, workload.N, workload.K, layer.Pattern.ToString(), layer.DType,
                new Comparison(options.Threads, options.Batch, times[1], times[0]), times[^1], usefulOperations / (times[0].MedianMicroseconds * 1e3)));
            progress?.Report(results[^1]);
        }

        return results;
    }

    /// <summary>
    /// Measures subjects in turn: one call at a time, or several callers at once that share a session.
    /// </summary>
    /// <param name="subjects">With as many lanes as there are callers.</param>
    /// <param name="options">Seconds: for all of them together.</param>
    /// <param name="callers">1: latency, one call at a time. More: throughput.</param>
    public static IReadOnlyList<SubjectTiming> Measure(
        IReadOnlyList<IBenchmarkSubject> subjects, BenchmarkOptions options, int callers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(subjects);
        ArgumentNullException.ThrowIfNull(options);
        if (callers > 1)
            return ConcurrentCalls.Measure(subjects, callers, options.Seconds, cancellation);
        Timing[] times = Interleaving.Measure([.. subjects.Select(subject => (Func<double>)(() => subject.Run(0)))], options.Seconds, cancellation);
        return [.. subjects.Select((subject, i) => new SubjectTiming(subject.Name, subject.LoadMilliseconds, times[i], 1e6 / times[i].MedianMicroseconds))];
    }

    /// <returns>Packed, dense, and dense alone where that differs.</returns>
    private static Timing[] MeasureLayer(BenchmarkLayer layer, BenchmarkOptions options, CancellationToken cancellation)
    {
        var sessions = new List<BoundModel>();
        try
        {
            sessions.Add(new BoundModel(layer.PackedModel, null, options));
            if (layer.Workload.Convolution is { } g)
            {
                long[] input = [options.Batch, g.InputHeight, g.InputWidth, (long)layer.Workload.K / g.Taps * g.Groups];
                if (OptimizedOperator.Extract(layer.DenseModel, input, g.Groups) is { } dense)
                    sessions.Add(new BoundModel(dense.Model, null, options, optimizeGraph: false));
            }

            sessions.Add(new BoundModel(layer.DenseModel, null, options));
            return Interleaving.Measure([.. sessions.Select(session => (Func<double>)session.Run)], options.Seconds, cancellation);
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }
}
