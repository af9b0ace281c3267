using Dovetail.Core.Packing;

namespace Dovetail.Benchmarking.Layers;

/// <summary>A layer packed in one pattern, beside ONNX Runtime's dense fp32 and int8, measured in turn in one process.</summary>
/// <param name="Pattern">Of the packed weights.</param>
/// <param name="Batch">Inputs of one run.</param>
/// <param name="Kernel">What ran the packed layer.</param>
/// <param name="Packed">The packed operator, NHWC.</param>
/// <param name="Dense">The fastest way in which ONNX Runtime runs the dense fp32 layer, in the layout that it wants.</param>
/// <param name="DenseInt8">The same for dense int8.</param>
/// <param name="DenseAlone">Dense fp32 as a model of its own: for a convolution with the reorders from NCHW and back.</param>
/// <param name="PeakGflops">Of the machine, fp32, all threads (<see cref="PeakArithmetic"/>).</param>
public sealed record LayerMeasurement(
    LayerShape Shape, string Pattern, double Density, DType DType, int Batch, string Kernel,
    Timing Packed, DenseTiming Dense, DenseTiming DenseInt8, Timing DenseAlone, double PeakGflops)
{
    /// <summary>How many times faster than dense fp32, by medians.</summary>
    public double Ratio => Dense.Timing.MedianMicroseconds / Packed.MedianMicroseconds;

    /// <summary>The same by 10th percentiles: what an undisturbed machine would show.</summary>
    public double RatioP10 => Dense.Timing.P10Microseconds / Packed.P10Microseconds;

    public double RatioInt8 => DenseInt8.Timing.MedianMicroseconds / Packed.MedianMicroseconds;

    public double RatioInt8P10 => DenseInt8.Timing.P10Microseconds / Packed.P10Microseconds;

    /// <summary>Against dense fp32 with its reorders.</summary>
    public double RatioAlone => DenseAlone.MedianMicroseconds / Packed.MedianMicroseconds;

    /// <summary>Operations of the dense layer, two a product, over the packed layer's time.</summary>
    public double EffectiveGflops => 2.0 * Shape.Workload.DenseMacs * Batch / (Packed.MedianMicroseconds * 1e3);

    /// <summary>Operations on kept weights over the packed layer's time.</summary>
    public double UsefulGflops => EffectiveGflops * Density;

    public double DenseGflops => 2.0 * Shape.Workload.DenseMacs * Batch / (Dense.Timing.MedianMicroseconds * 1e3);

    /// <summary>Useful operations over the machine's fp32 peak; int8 may exceed 1.</summary>
    public double ShareOfPeak => UsefulGflops / PeakGflops;

    /// <summary>A matrix product of one row: nothing to reuse a weight for.</summary>
    public bool IsSingleRow => Shape.Workload.Convolution is null && (long)Shape.Workload.N * Batch == 1;
}

/// <summary>A dense baseline and the operator that was fastest.</summary>
public sealed record DenseTiming(string Operator, Timing Timing);
