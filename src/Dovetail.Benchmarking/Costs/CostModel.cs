using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Benchmarking.Costs;

/// <summary>Predicts layers from calibrations, which it asks for when it first needs them (docs/decisions/0012-cost-model.md).</summary>
/// <param name="calibration">By operator ("Conv", "Gemm"), pattern and type.</param>
/// <param name="batch">Inputs of a run.</param>
/// <param name="bfloat16Operands">Packed floating-point layers multiply in bfloat16.</param>
public sealed class CostModel(
    Func<string, ComplementaryPattern, DType, CostCalibration> calibration, int batch = 1, bool bfloat16Operands = false) : ILayerTimes
{
    private readonly Dictionary<(string Op, ComplementaryPattern Pattern, DType Type), CostCalibration> _known = [];

    public double PackedMicroseconds(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, bool quantized)
    {
        ArgumentNullException.ThrowIfNull(workload);
        return Calibration(workload.Op, pattern, TypeOf(quantized)).Packed.Microseconds(
            LayerWork.Packed(workload, weights, pattern, TypeOf(quantized), batch));
    }

    public double DenseMicroseconds(LayerWorkload workload, WeightShape weights, ComplementaryPattern pattern, bool quantized)
    {
        ArgumentNullException.ThrowIfNull(workload);
        return Calibration(workload.Op, pattern, TypeOf(quantized)).Dense.Microseconds(
            LayerWork.Dense(workload, weights, TypeOf(quantized), batch));
    }

    public double TransposeMicroseconds(long elements, ComplementaryPattern pattern, bool quantized) =>
        Calibration("Conv", pattern, TypeOf(quantized)).Transpose.Microseconds(LayerWork.Copy(elements, TypeOf(quantized), batch));

    private DType TypeOf(bool quantized) => quantized ? DType.Int8 : bfloat16Operands ? DType.BFloat16 : DType.Float32;

    private CostCalibration Calibration(string op, ComplementaryPattern pattern, DType type)
    {
        if (!_known.TryGetValue((op, pattern, type), out CostCalibration? found))
            _known[(op, pattern, type)] = found = calibration(op, pattern, type);
        return found;
    }
}
