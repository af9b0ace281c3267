using Dovetail.Core.Packing;
using Dovetail.Runtime.Kernels;
using Dovetail.Runtime.Kernels.Dispatch;

namespace Dovetail.Runtime.OnnxRuntime.Benchmarking;

/// <summary>Which kernel this CPU runs packed weights with.</summary>
public static class KernelNames
{
    /// <exception cref="BenchmarkException">No kernel takes values of that type.</exception>
    public static string Of(PackedTensor weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using PreparedLayer prepared = weights switch
        {
            PackedTensor<sbyte> integers => KernelRegistry.Prepare(new QuantizedSpecification(integers, null, 0, new float[weights.Shape.Outputs], 0)),
            PackedTensor<float> floats => KernelRegistry.Prepare(new Float32Specification(floats)),
            PackedTensor<BFloat16> => KernelRegistry.Prepare(WithBFloat16Operands(weights)),
            _ => throw new BenchmarkException($"No kernel runs {weights.DType} weights; expected float32, bfloat16 or int8."),
        };
        return prepared.KernelName;
    }

    /// <summary>A layer whose operands are rounded to bfloat16; its weights are already.</summary>
    internal static Float32Specification WithBFloat16Operands(PackedTensor weights) =>
        new(PackedCast.ToFloat32(weights), Operands: FloatOperands.BFloat16);
}
