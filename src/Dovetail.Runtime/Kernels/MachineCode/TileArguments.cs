using System.Runtime.InteropServices;

namespace Dovetail.Runtime.Kernels.MachineCode;

/// <summary>
/// The operands of one call of an emitted function: one tile of pixels × <see cref="Blocks"/> blocks of outputs. The
/// function advances the fields from <see cref="Weights"/> to <see cref="Sums"/> from block to block. All sizes in bytes.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
internal unsafe struct TileArguments
{
    /// <summary>[taps][pixels] pointers to inputs.</summary>
    [FieldOffset(0)] public byte** Rows;

    [FieldOffset(8)] public byte* Weights;

    [FieldOffset(16)] public byte* Owners;

    /// <summary>[outputs]: what sums start from, 32-bit numbers.</summary>
    [FieldOffset(24)] public byte* Starts;

    /// <summary>[outputs] requantization factors; quantized only.</summary>
    [FieldOffset(32)] public byte* Factors;

    [FieldOffset(40)] public byte* Output;

    [FieldOffset(48)] public byte* Residual;

    /// <summary>Sums of earlier chunks of inputs, 32-bit numbers.</summary>
    [FieldOffset(56)] public byte* Sums;

    /// <summary>From a pixel to the next, of output and residual.</summary>
    [FieldOffset(64)] public nint OutputStride;

    [FieldOffset(72)] public nint SumsStride;

    /// <summary>Where the first window lies behind a row pointer.</summary>
    [FieldOffset(80)] public nint FirstOffset;

    /// <summary>No window lies behind this.</summary>
    [FieldOffset(88)] public nint LastOffset;

    [FieldOffset(96)] public nint WindowStride;

    [FieldOffset(104)] public nint Windows;

    [FieldOffset(112)] public nint Taps;

    [FieldOffset(120)] public nint Blocks;

    /// <summary>Weights and owners of other chunks, jumped over from block to block.</summary>
    [FieldOffset(128)] public int WeightSkip;

    [FieldOffset(132)] public int OwnerSkip;

    /// <summary>Bounds of the result; for quantized sums, of the scaled sum before the zero point is added.</summary>
    [FieldOffset(136)] public float Low;

    [FieldOffset(140)] public float High;

    [FieldOffset(144)] public int ZeroPoint;

    /// <summary>One bit a lane of the last vector that is an output.</summary>
    [FieldOffset(148)] public uint LaneMask;
}
