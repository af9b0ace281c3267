using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// Which vector registers of an emitted function hold what, and where its arguments lie.
/// zmm0–23 sums; 24, 25 weights; 26, 27 owners; 28–31 inputs and what is left to the code's own use.
/// </summary>
internal sealed class TileRegisters(TileVariant tile)
{
    public const int VectorBytes = 64, Lanes = 16;

    public static readonly AssemblerRegisterZMM[] Zmm =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
        zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
    ];

    public static readonly AssemblerRegisterXMM[] Xmm =
    [
        xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15,
        xmm16, xmm17, xmm18, xmm19, xmm20, xmm21, xmm22, xmm23, xmm24, xmm25, xmm26, xmm27, xmm28, xmm29, xmm30, xmm31,
    ];

    public static readonly AssemblerRegisterYMM[] Ymm =
    [
        ymm0, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6, ymm7, ymm8, ymm9, ymm10, ymm11, ymm12, ymm13, ymm14, ymm15,
        ymm16, ymm17, ymm18, ymm19, ymm20, ymm21, ymm22, ymm23, ymm24, ymm25, ymm26, ymm27, ymm28, ymm29, ymm30, ymm31,
    ];

    /// <summary>Sums of one window: pixels × vectors.</summary>
    public int SumsOfWindow => tile.Pixels * tile.Vectors;

    /// <summary>Sets of sums, each for windows of its own, so that few sums hide the latency of an addition.</summary>
    public int WindowsApart => tile.Steps == 0 ? 1 : SumsOfWindow <= 2 ? 4 : SumsOfWindow <= 8 ? 2 : 1;

    public static AssemblerRegisterZMM Weights(int vector) => Zmm[24 + vector];

    public static AssemblerRegisterZMM Owners(int vector) => Zmm[26 + vector];

    public AssemblerRegisterZMM Sum(int window, int pixel, int vector) => Zmm[window * SumsOfWindow + pixel * tile.Vectors + vector];

    /// <summary>A field of the <see cref="TileArguments"/> at rdi.</summary>
    public static AssemblerMemoryOperand Field(string name) => __[rdi + OffsetOf(name)];

    public static int OffsetOf(string name) => (int)Marshal.OffsetOf<TileArguments>(name);
}
