using Dovetail.Kernels;
using Dovetail.Kernels.Dispatch;

namespace Dovetail.Tests.Kernels;

/// <summary>Every registry entry that takes and gives floats and that this CPU supports, those that round operands included.</summary>
internal static class FloatKernels
{
    public static IReadOnlyList<Kernel<Float32Specification, float>> Supported { get; } =
        [.. KernelRegistry.Float32.Concat(KernelRegistry.BFloat16Operands).Where(kernel => kernel.IsSupported)];

    /// <summary>True where operands are rounded to bfloat16 first.</summary>
    public static bool RoundsOperands(string name) => name.Contains("-bf16-", StringComparison.Ordinal);
}
