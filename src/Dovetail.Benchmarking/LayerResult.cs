using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking;

/// <summary>A layer of a network, packed beside dense, measured in turn in one process.</summary>
/// <param name="Workload">For one input; N of all inputs is N·batch.</param>
/// <param name="DType">Of the packed weights.</param>
/// <param name="Kernel">What ran the packed layer.</param>
/// <param name="Dense">In the layout that ONNX Runtime gives the layer inside a network.</param>
/// <param name="DenseAlone">The dense layer as a model of its own: for a convolution with the reorders from NCHW and back.</param>
/// <param name="UsefulGflops">Two operations for every product of a kept weight, by the packed median.</param>
public sealed record LayerResult(
    LayerWorkload Workload, ComplementaryPattern Pattern, DType DType, string Kernel, Timing Packed, Timing Dense, Timing DenseAlone,
    double UsefulGflops)
{
    /// <summary>How many times faster the packed layer is, by medians.</summary>
    public double Ratio => Dense.MedianMicroseconds / Packed.MedianMicroseconds;

    /// <summary>The same by 10th percentiles: what an undisturbed machine would show.</summary>
    public double RatioP10 => Dense.P10Microseconds / Packed.P10Microseconds;
}
