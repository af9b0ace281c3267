using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Kernels;

namespace Dovetail.Benchmarking.Layers;

/// <summary>Measures a list of layers (<see cref="LayerShapeFile"/>) one after the other, each as <see cref="LayerBenchmark"/>
/// does.</summary>
public static class LayerListBenchmark
{
    /// <param name="type">Of the packed weights.</param>
    /// <param name="options">Seconds: for one side of one layer.</param>
    /// <param name="progress">Told each layer when it is measured.</param>
    /// <exception cref="OperatorException">A model is refused or does not run.</exception>
    /// <exception cref="BenchmarkException">A packed result is wrong, or no kernel takes the type.</exception>
    public static LayerListResult Measure(
        IReadOnlyList<LayerShape> shapes, IReadOnlyList<ComplementaryPattern> patterns, DType type, BenchmarkOptions options,
        IProgress<LayerShape>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        ArgumentNullException.ThrowIfNull(patterns);
        ArgumentNullException.ThrowIfNull(options);
        double peak = PeakArithmetic.MeasureGflops(options.Threads);
        double overhead = SessionOverhead.MeasureMicroseconds(options, cancellation);
        var benchmark = new LayerBenchmark(type, options, peak);
        var measured = new List<LayerMeasurement>();
        foreach (LayerShape shape in shapes)
        {
            measured.AddRange(benchmark.Measure(shape, patterns, cancellation));
            progress?.Report(shape);
        }

        IEnumerable<UnfitLayer> unfit =
            from pattern in patterns
            from shape in shapes
            let reason = LayerBenchmark.ReasonAgainst(shape, pattern)
            where reason is not null
            select new UnfitLayer(shape, pattern, reason);
        return new LayerListResult(type, patterns, options, peak, overhead, measured, [.. unfit]);
    }
}
