using System.Runtime.Intrinsics.X86;

namespace Dovetail.Training.Optimization;

/// <summary>Whether bf16 convolutions and products are faster than fp32 ones here: where the CPU multiplies bf16 (AVX512_BF16).</summary>
internal static class BFloat16Support
{
    // CPUID leaf 7, subleaf 1, EAX bit 5 (Intel SDM, volume 2, CPUID).
    public static bool IsFast { get; } =
        Avx512F.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax >> 5 & 1) != 0;

    /// <summary>Whether a training uses them: as its options say, else where they are faster.</summary>
    public static bool IsUsed(TrainingOptions options) => options.BFloat16 ?? IsFast;
}
