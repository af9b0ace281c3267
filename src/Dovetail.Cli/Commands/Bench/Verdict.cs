using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Packing;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Cli.Commands.Bench;

/// <summary>What packing would do with a layer, by its measured times: the rule of <see cref="FasterLayers"/>.</summary>
internal static class Verdict
{
    public const string Packed = "packed", Dense = "dense";

    /// <summary>The share of the dense time that packing must save.</summary>
    public const double LeastGain = 0.05;

    public static string Of(LayerMeasurement row)
    {
        double dense = (row.DType == DType.Int8 ? row.DenseInt8 : row.Dense).Timing.MedianMicroseconds;
        return row.Packed.MedianMicroseconds <= dense * (1 - LeastGain) ? Packed : Dense;
    }
}
