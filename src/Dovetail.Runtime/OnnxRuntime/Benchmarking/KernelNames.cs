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
            _ => throw new BenchmarkException($"No kernel runs {weights.DType} weights yet; expected float32 or int8."),
        };
        return prepared.KernelName;
    }
}
