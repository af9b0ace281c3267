using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Packing;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Cli.Commands.Bench;

/// <summary>What packing would do with a layer, by its measured times: the rule of <see cref="FasterLayers"/>.</summary>
internal static class Verdict
{
    /// <summary><see cref="Either"/>: the gain is not told apart from what was asked for, and another run may say the other.</summary>
    public const string Packed = "packed", Dense = "dense", Either = "either";

    /// <summary>Packed or dense where medians and 10th percentiles agree.</summary>
    public static string Of(LayerMeasurement row)
    {
        Benchmarking.Timing dense = (row.DType == DType.Int8 ? row.DenseInt8 : row.Dense).Timing;
        bool byMedian = Gains(dense.MedianMicroseconds, row.Packed.MedianMicroseconds);
        bool byP10 = Gains(dense.P10Microseconds, row.Packed.P10Microseconds);
        return byMedian != byP10 ? Either : byMedian ? Packed : Dense;
    }

    private static bool Gains(double dense, double packed) => packed <= dense * (1 - FasterLayers.UsualLeastGain);
}
