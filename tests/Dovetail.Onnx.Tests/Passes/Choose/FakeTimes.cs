using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Onnx.Tests.Passes.Choose;

/// <summary>Times by layer name; every Transpose takes the same.</summary>
internal sealed class FakeTimes(Func<string, (double Dense, double Packed)> layer, double transpose) : ILayerTimes
{
    public double DenseMicroseconds(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, bool quantized) =>
        layer(workload.Name).Dense;

    public double PackedMicroseconds(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, bool quantized) =>
        layer(workload.Name).Packed;

    public double TransposeMicroseconds(long elements, ComplementaryPattern pattern, bool quantized) => transpose;
}
