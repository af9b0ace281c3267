using Dovetail.Core.Packing;
using Dovetail.Runtime.Kernels;
using Dovetail.Runtime.Kernels.Dispatch;

namespace Dovetail.Runtime.OnnxRuntime.Benchmarking;

/// <summary>Which kernel this CPU runs packed weights with.</summary>
public static class KernelNames
{
    /// <summary>bfloat16 weights are taken to have bfloat16 operands.</summary>
    /// <param name="weights">Of the layer.</param>
    /// <param name="pixels">Output pixels, or rows, of all images.</param>
    public static string Of(PackedTensor weights, long pixels)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using PreparedLayer prepared = weights switch
        {
            PackedTensor<sbyte> integers => KernelRegistry.Prepare(new QuantizedSpecification(integers, null, 0, new float[weights.Shape.Outputs], 0)),
            PackedTensor<float> floats => KernelRegistry.Prepare(new Float32Specification(floats)),
            PackedTensor<BFloat16> => KernelRegistry.Prepare(new Float32Specification(PackedCast.ToFloat32(weights), Operands: FloatOperands.BFloat16)),
            _ => KernelRegistry.Prepare(new Float32Specification(PackedCast.ToFloat32(weights))),
        };
        return prepared.KernelNameFor(pixels);
    }
}
