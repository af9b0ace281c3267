using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Kernels;
using Dovetail.Onnx.Layers;

namespace Dovetail.Benchmarking.Layers;

/// <summary>
/// Layers without a network, packed against ONNX Runtime dense fp32 and int8 in one run (docs/kernels.md, "Measuring").
/// 1. Of the ways in which ONNX Runtime can run the dense layer, a short trial picks the fastest.
/// 2. Each pattern's packed operator is checked against ONNX's own on the same input.
/// 3. All of them, every pattern and both baselines, run in turn in blocks (<see cref="Interleaving"/>).
/// Every side is one node with bound inputs in the layout that it wants; a session's own microseconds are in all figures.
/// </summary>
public sealed class LayerBenchmark
{
    private const double TrialSeconds = 0.05;

    private readonly DType _type;
    private readonly BenchmarkOptions _options;
    private readonly double _peakGflops;

    /// <param name="type">Of the packed weights.</param>
    /// <param name="options">Seconds: for one side of one layer.</param>
    /// <param name="peakGflops">From <see cref="PeakArithmetic"/>, for as many threads.</param>
    public LayerBenchmark(DType type, BenchmarkOptions options, double peakGflops)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_type, _options, _peakGflops) = (type, options, peakGflops);
    }

    /// <summary>Why a layer stays dense under a pattern; null where it can be packed.</summary>
    public static string? ReasonAgainst(LayerShape shape, ComplementaryPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return PatternFit.ReasonAgainst(shape.Weights, pattern);
    }

    /// <returns>One measurement for each pattern that fits the layer, in the given order.</returns>
    /// <exception cref="OperatorException">A model is refused or does not run.</exception>
    /// <exception cref="BenchmarkException">A packed result is wrong, or no kernel takes the type.</exception>
    public IReadOnlyList<LayerMeasurement> Measure(
        LayerShape shape, IEnumerable<ComplementaryPattern> patterns, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ComplementaryPattern[] fitting = [.. patterns.Where(pattern => ReasonAgainst(shape, pattern) is null)];
        if (fitting.Length == 0)
            return [];
        var layer = new SyntheticLayer(shape, _options.Batch, _options.Seed);
        var sessions = new List<BoundModel>();
        var runs = new List<Func<double>>();
        try
        {
            DenseOperator dense = Fastest(DenseOperator.Float(shape, layer, _options.Batch), cancellation);
            DenseOperator denseInt8 = Fastest(DenseOperator.Quantized(shape, layer, _options.Batch), cancellation);
            sessions.Add(new BoundModel(dense.Model, _options, dense.OptimizeGraph));
            sessions.Add(new BoundModel(denseInt8.Model, _options, denseInt8.OptimizeGraph));
            sessions.Add(new BoundModel(layer.Float(layer.FloatWeights).ToBytes(), _options));
            runs.AddRange(sessions.Select(session => (Func<double>)session.Run));
            var kernels = new List<string>();
            foreach (ComplementaryPattern pattern in fitting)
            {
                cancellation.ThrowIfCancellationRequested();
                PackedTensor weights = layer.Pack(pattern, _type);
                kernels.Add(KernelNames.Of(weights, (long)shape.Workload.N * _options.Batch));
                runs.Add(Packed(shape, layer, weights, sessions));
            }

            Timing[] times = Interleaving.Measure(runs, _options.Seconds * runs.Count, cancellation);
            return [.. fitting.Select((pattern, i) => new LayerMeasurement(
                shape, pattern.ToString(), pattern.Density, _type, _options.Batch, kernels[i], times[3 + i],
                new DenseTiming(dense.Name, times[0]), new DenseTiming(denseInt8.Name, times[1]), times[2], _peakGflops))];
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }

    /// <summary>The packed side, checked.</summary>
    private Func<double> Packed(LayerShape shape, SyntheticLayer layer, PackedTensor weights, List<BoundModel> sessions)
    {
        byte[] dense = layer.DenseOf(weights).ToBytes();
        byte[] packed = layer.Packed(weights).ToBytes();
        LayerCheck.Compare(shape, packed, dense, weights, _options.Batch, _options.Threads, _options.Seed);
        sessions.Add(new BoundModel(packed, _options));
        return sessions[^1].Run;
    }

    private DenseOperator Fastest(IReadOnlyList<DenseOperator> ways, CancellationToken cancellation)
    {
        if (ways is [var only])
            return only;
        var sessions = new List<BoundModel>();
        try
        {
            foreach (DenseOperator way in ways)
                sessions.Add(new BoundModel(way.Model, _options, way.OptimizeGraph));
            Timing[] times = Interleaving.Measure(
                [.. sessions.Select(session => (Func<double>)session.Run)], TrialSeconds * ways.Count, cancellation);
            return ways[Array.IndexOf(times, times.MinBy(time => time.P10Microseconds))];
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }
}
