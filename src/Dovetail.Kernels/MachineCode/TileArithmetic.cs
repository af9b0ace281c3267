namespace Dovetail.Kernels.MachineCode;

/// <summary>The instructions that select inputs and multiply them; one lane of 32 bits is an output.</summary>
internal enum TileArithmetic
{
    /// <summary>float; <c>vpermps</c> picks out of 16 inputs.</summary>
    Float32Window16,

    /// <summary>float; <c>vpermt2ps</c> picks out of 32 inputs in two registers.</summary>
    Float32Window32,

    /// <summary>bfloat16 inputs and weights, float sums; <c>vpermw </c> picks 32 out of 32, <c>vdpbf16ps </c> adds two products a
    /// lane.</summary>
    BFloat16Window32,

    /// <summary>uint8 × int8, int32 sums; <c>vpermb</c> picks 64 out of 64, <c>vpdpbusd</c> adds four products a lane, exactly.</summary>
    QuantizedWindow64,
}
