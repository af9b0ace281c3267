namespace Dovetail.Kernels;

/// <summary>What the operands of a floating-point layer's products are rounded to. Sums are fp32 in any case.</summary>
public enum FloatOperands
{
    /// <summary>Not rounded.</summary>
    Float32,

    /// <summary>
    /// Inputs and weights are rounded to bfloat16, to nearest, ties to even: products of 8 bits of significand, twice the
    /// rate where the CPU multiplies them (AVX512_BF16). Denormal operands count as zero there.
    /// </summary>
    BFloat16,
}
