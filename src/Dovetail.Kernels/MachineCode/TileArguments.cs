using System.Runtime.InteropServices;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// The operands of one call of an emitted function: one tile of pixels × <see cref="Blocks"/> blocks of outputs. The
/// function advances the fields from <see cref="Starts"/> to <see cref="Residual"/> from block to block and counts
/// <see cref="Blocks"/> down. All sizes in bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TileArguments
{
    /// <summary>[taps][pixels] pointers to inputs.</summary>
    public byte** Rows;

    public byte* Weights;

    public byte* Owners;

    /// <summary>Steps of each window in turn, one byte each; null where all have the same.</summary>
    public byte* Steps;

    /// <summary>[outputs]: what sums start from, 32-bit numbers.</summary>
    public byte* Starts;

    /// <summary>[outputs] requantization factors; quantized only.</summary>
    public byte* Factors;

    public byte* Output;

    public byte* Residual;

    /// <summary>From a pixel to the next, of output and residual.</summary>
    public nint OutputStride;

    /// <summary>Where the first window lies behind a row pointer.</summary>
    public nint FirstOffset;

    /// <summary>No window lies behind this.</summary>
    public nint LastOffset;

    public nint WindowStride;

    public nint Windows;

    public nint Taps;

    public nint Blocks;

    /// <summary>Lower bound of the result; for quantized sums, of the scaled sum before the zero point is added.</summary>
    public float Low;

    /// <summary>Upper bound, likewise.</summary>
    public float High;

    public int ZeroPoint;

    /// <summary>One bit a lane of the last vector that is an output.</summary>
    public uint LaneMask;
}
