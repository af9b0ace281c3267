using System.Diagnostics;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;
using Dovetail.Onnx.Model;

namespace Dovetail.Benchmarking;

/// <summary>
/// Dense against packed in the same process, so that both see the same machine.
/// 1. Sessions with equal threads, sequential execution, one inter-op thread. Threads may spin within a run, but
///    stop when it ends: without that, an idle session's pool would take a processor from the others.
/// 2. They run in turn, in blocks (<see cref="Interleaving"/>).
/// 3. Medians, with the 10th and 90th percentile beside them.
/// Inputs are bound once; a figure is a whole session run, the runtime's own overhead of some microseconds included.
/// </summary>
public static class NetworkBenchmark
{
    /// <summary>The names of the subjects.</summary>
    public const string PackedName = "packed", DenseName = "dense", DenseInt8Name = "dense int8";

    // Of a bounded time, so that quantizing, which takes about as long as loading did, leaves some to measure.
    private const double LeastForInt8 = 0.6;

    /// <summary>Compares whole networks.</summary>
    /// <param name="options">Seconds: for all sides together.</param>
    /// <param name="callers">1: latency, one call at a time. More: throughput.</param>
    /// <param name="int8">Measure the dense network quantized to int8 too, where it is not int8 itself and there is time.</param>
    /// <param name="dense">Makes the dense side; null: a session of ONNX Runtime.</param>
    /// <param name="budget">Where it is bounded: half of what it has left when the sessions stand, instead of the options' seconds.</param>
    /// <exception cref="OperatorException">A model is refused or does not run.</exception>
    public static NetworkResult Measure(
        NetworkPair pair, BenchmarkOptions options, int callers = 1, bool int8 = false, Func<OnnxModel, IBenchmarkSubject>? dense = null,
        TimeBudget? budget = null, CancellationToken cancellation = default)
    {
        budget ??= TimeBudget.Unbounded;
        ArgumentNullException.ThrowIfNull(pair);
        ArgumentNullException.ThrowIfNull(options);
        _ = SessionOverhead.MeasureMicroseconds(options, cancellation); // the first session of a process pays for ONNX Runtime itself
        var subjects = new List<IBenchmarkSubject>();
        try
        {
            subjects.Add(new SessionSubject(PackedName, pair.Packed.ToBytes(), options, callers, budget));
            subjects.Add(dense?.Invoke(pair.Dense) ?? new SessionSubject(DenseName, pair.Dense.ToBytes(), options, callers, budget));
            (OnnxModel? quantized, string? reason) = !int8 ? (null, null)
                : pair.DenseIsQuantized ? (null, "the dense network is int8 itself")
                : budget.LeftShare < LeastForInt8 ? (null, "there is no time for it")
                : QuantizedBaseline.Create(pair.Dense, options);
            if (quantized is not null)
                subjects.Add(new SessionSubject(DenseInt8Name, quantized.ToBytes(), options, callers, budget));
            IReadOnlyList<SubjectTiming> timings = Measure(
                subjects, options with { Seconds = budget.Share(2, options.Seconds) }, callers, budget.IsBounded, cancellation);
            return new NetworkResult(options, callers, timings[0], timings[1], timings.ElementAtOrDefault(2), reason);
        }
        finally
        {
            subjects.ForEach(subject => subject.Dispose());
        }
    }

    /// <summary>
    /// Compares layer by layer. A dense convolution runs in the layout that ONNX Runtime gives it inside a network, blocked or
    /// NHWC; its time as a model of its own stands beside it.
    /// </summary>
    /// <param name="options">Seconds: for the sides of one layer together.</param>
    /// <param name="budget">
    /// Where it is bounded: its time is shared between the layers, and those that it does not reach are not measured.
    /// </param>
    /// <param name="progress">Told each layer when it is measured.</param>
    /// <exception cref="OperatorException">A model is refused or does not run.</exception>
    public static IReadOnlyList<LayerResult> MeasureLayers(
        NetworkPair pair, BenchmarkOptions options, TimeBudget? budget = null, IProgress<LayerResult>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pair);
        ArgumentNullException.ThrowIfNull(options);
        budget ??= TimeBudget.Unbounded;
        int layers = pair.PackedLayers.Count;
        var results = new List<LayerResult>();
        long start = Stopwatch.GetTimestamp();
        double dearest = 0; // what a layer took beyond the time that was its own: its sessions
        foreach (BenchmarkLayer layer in BenchmarkLayer.Of(pair))
        {
            if (budget.Left <= dearest)
                break;
            double time = budget.Share(layers - results.Count, options.Seconds);
            results.Add(MeasureLayer(layer, options with { Seconds = time, Inputs = [] }, budget.IsBounded, cancellation));
            progress?.Report(results[^1]);
            dearest = Math.Max(dearest, Stopwatch.GetElapsedTime(start).TotalSeconds - time);
            start = Stopwatch.GetTimestamp();
        }

        return results;
    }

    /// <summary>
    /// Measures subjects in turn: one call at a time, or several callers at once that share a session.
    /// </summary>
    /// <param name="subjects">With as many lanes as there are callers.</param>
    /// <param name="options">Seconds: for all of them together.</param>
    /// <param name="callers">1: latency, one call at a time. More: throughput.</param>
    /// <param name="isBounded">Warm-up counts in the seconds, and fewer runs are enough.</param>
    public static IReadOnlyList<SubjectTiming> Measure(
        IReadOnlyList<IBenchmarkSubject> subjects, BenchmarkOptions options, int callers, bool isBounded = false,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(subjects);
        ArgumentNullException.ThrowIfNull(options);
        if (callers > 1)
            return ConcurrentCalls.Measure(subjects, callers, options.Seconds, isBounded, cancellation);
        Timing[] times = Interleaving.Measure(
            [.. subjects.Select(subject => (Func<double>)(() => subject.Run(0)))], options.Seconds, cancellation, isBounded);
        return [.. subjects.Select(
            (subject, i) => new SubjectTiming(subject.Name, subject.LoadMilliseconds, times[i], 1e6 / times[i].MedianMicroseconds))];
    }

    internal static LayerResult MeasureLayer(
        BenchmarkLayer layer, BenchmarkOptions options, bool isBounded = false, CancellationToken cancellation = default)
    {
        Timing[] times = Time(layer, options, isBounded, cancellation);
        LayerWorkload workload = layer.Workload;
        double usefulOperations = 2.0 * workload.DenseMacs * layer.Weights.Pattern.Density * options.Batch;
        return new LayerResult(
            workload, layer.Weights.Pattern, layer.Weights.DType,
            KernelNames.Of(layer.Weights, (long)workload.N * options.Batch, layer.Operands),
            times[0], times[1], times[^1], usefulOperations / (times[0].MedianMicroseconds * 1e3));
    }

    /// <returns>Packed, dense, and dense alone where that differs.</returns>
    private static Timing[] Time(BenchmarkLayer layer, BenchmarkOptions options, bool isBounded, CancellationToken cancellation)
    {
        var sessions = new List<BoundModel>();
        try
        {
            sessions.Add(new BoundModel(layer.PackedModel, options));
            if (layer.Workload.Convolution is { } g)
            {
                long[] input = [options.Batch, g.InputHeight, g.InputWidth, (long)layer.Workload.K / g.Taps * g.Groups];
                if (OptimizedOperator.Extract(layer.DenseModel, input, g.Groups) is { } dense)
                    sessions.Add(new BoundModel(dense.Model, options, optimizeGraph: false));
            }

            sessions.Add(new BoundModel(layer.DenseModel, options));
            return Interleaving.Measure(
                [.. sessions.Select(session => (Func<double>)session.Run)], options.Seconds, cancellation, isBounded);
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }
}
