using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Onnx.Passes.Choose;

/// <summary>What layers take on the machine that will run the model, in microseconds: predicted or measured.</summary>
public interface ILayerTimes
{
    /// <param name="workload">The product for one input.</param>
    /// <param name="pattern">What the time will be compared with: both are measured in turn.</param>
    /// <param name="quantized">int8 weights and uint8 activations; otherwise fp32.</param>
    double DenseMicroseconds(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, bool quantized);

    /// <param name="workload">The product for one input.</param>
    /// <param name="quantized">int8 weights and uint8 activations; otherwise fp32.</param>
    double PackedMicroseconds(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, bool quantized);

    /// <summary>A Transpose between NCHW and NHWC.</summary>
    /// <param name="elements">Of the image, for one input.</param>
    /// <param name="pattern">Of a layer beside it.</param>
    double TransposeMicroseconds(long elements, ComplementaryPattern pattern, bool quantized);
}
