namespace Dovetail.Onnx.Operators;

/// <summary>What an operator does to the order of channels, where it treats all of them alike (Passes/Permute).</summary>
internal enum ChannelTie
{
    /// <summary>Its output has the order of its first input; all others are constants without channels.</summary>
    Alike,

    /// <summary>The same, for images only.</summary>
    Image,

    /// <summary>All its inputs have the order of its output: tensors by a tie, constants by following it.</summary>
    Operands,

    /// <summary>Inputs from the second on are constants with an entry a channel.</summary>
    ChannelParameters,

    /// <summary>The same, and it normalizes over the last axis.</summary>
    LastAxisParameters,

    /// <summary>A change of shape that may keep the channels.</summary>
    Shape,

    /// <summary>A reduction that may keep the channels.</summary>
    Reduction,

    Convolution,

    Gemm,

    MatMul,
}
