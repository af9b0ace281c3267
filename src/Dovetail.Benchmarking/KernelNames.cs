using Dovetail.Core.Packing;
using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;

namespace Dovetail.Benchmarking;

/// <summary>Which kernel this CPU runs packed weights with.</summary>
internal static class KernelNames
{
    /// <param name="weights">Of the layer.</param>
    /// <param name="pixels">Output pixels, or rows, of all images.</param>
    /// <param name="operands">Of a floating-point layer; null: bfloat16 where the weights are.</param>
    public static string Of(PackedTensor weights, long pixels, FloatOperands? operands = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using PreparedLayer prepared = weights switch
        {
            PackedTensor<sbyte> integers =>
                KernelRegistry.Prepare(new QuantizedSpecification(integers, null, 0, new float[weights.Shape.Outputs], 0)),
            _ => KernelRegistry.Prepare(new Float32Specification(
                PackedCast.ToFloat32(weights), Operands: operands
                    ?? (weights is PackedTensor<BFloat16> ? FloatOperands.BFloat16 : FloatOperands.Float32))),
        };
        return prepared.KernelNameFor(pixels);
    }
}
