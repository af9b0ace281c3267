using Dovetail.Core.Packing;

namespace Dovetail.Benchmarking;

/// <summary>Two models measured in turn in one process.</summary>
public sealed record Comparison(int Threads, int Batch, Timing Dense, Timing Packed)
{
    /// <summary>How many times faster the packed model is, by medians.</summary>
    public double Ratio => Dense.MedianMicroseconds / Packed.MedianMicroseconds;

    /// <summary>The same by 10th percentiles: what an undisturbed machine would show.</summary>
    public double RatioP10 => Dense.P10Microseconds / Packed.P10Microseconds;
}

/// <summary>A layer measured dense and packed. M, N, K as in a workload for one input; N of all inputs is N·batch.</summary>
/// <param name="DenseAlone">The dense layer as a model of its own: for a convolution with the reorders from NCHW and back.</param>
/// <param name="UsefulGflops">Two operations for every product of a kept weight, by the packed median.</param>
public sealed record LayerComparison(
    string Name, string Op, int M, int N, int K, string Pattern, DType DType,
    Comparison Times, Timing DenseAlone, double UsefulGflops)
{
    public double DenseMicroseconds => Times.Dense.MedianMicroseconds;

    public double PackedMicroseconds => Times.Packed.MedianMicroseconds;

    public double Ratio => Times.Ratio;
}
