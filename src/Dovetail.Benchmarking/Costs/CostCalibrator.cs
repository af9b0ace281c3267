using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Patterns;
using Dovetail.Kernels;

namespace Dovetail.Benchmarking.Costs;

/// <summary>Measures the reference layers and fits the constants; about a second for one operator and pattern.</summary>
public static class CostCalibrator
{
    private const double Seconds = 0.02;

    // Channels and pixels a side: one small, two that pass through the caches.
    private static readonly (int Channels, int Pixels)[] s_images = [(32, 7), (256, 14), (64, 56)];

    /// <exception cref="OperatorException">A model is refused or does not run.</exception>
    public static CostCalibration Measure(CalibrationKey key, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var pattern = ComplementaryPattern.Parse(key.Pattern);
        var timer = new LayerTimer(new BenchmarkOptions(key.Threads, Seconds), cancellation);
        IReadOnlyList<LayerShape> shapes = ReferenceLayers.For(key.Op, pattern);
        var dense = new List<(LayerWork, double)>();
        var packed = new List<(LayerWork, double)>();
        var transposes = new List<(LayerWork, double)>();
        foreach (LayerShape shape in shapes)
        {
            (double denseTime, double packedTime) = timer.Measure(shape, pattern, key.DType, cancellation);
            dense.Add((LayerWork.Dense(shape.Workload, shape.Weights, key.DType, 1), denseTime));
            packed.Add((LayerWork.Packed(shape.Workload, shape.Weights, pattern, key.DType, 1), packedTime));
            progress?.Report(dense.Count / (shapes.Count + 1.0));
        }

        foreach ((int channels, int pixels) in key.Op == "Conv" ? s_images : [])
            transposes.Add(
                (LayerWork.Copy((long)channels * pixels * pixels, key.DType, 1), timer.MeasureTranspose(
                    channels, pixels, key.DType, cancellation)));
        progress?.Report(1);
        return new CostCalibration(
            key, SideCost.Fit(dense), SideCost.Fit(packed), transposes.Count == 0 ? new SideCost(0, 0, 0, 0, 0) : SideCost.Fit(transposes));
    }
}
