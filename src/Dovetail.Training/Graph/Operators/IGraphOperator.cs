using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>One node of an ONNX graph as Torch operations. Attributes are read once, at construction.</summary>
internal interface IGraphOperator
{
    /// <summary>What an initializer at this input is to the operator.</summary>
    /// <param name="elements">How many elements it holds.</param>
    InputRole RoleOf(int input, long elements) => InputRole.Trainable;

    /// <param name="inputs">As in ONNX; null where an optional one is left out, or where its role is <see cref="InputRole.Constant"/>.</param>
    Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode);
}

internal enum InputRole
{
    /// <summary>Learned by gradient.</summary>
    Trainable,

    /// <summary>Updated by the operator itself while training (running statistics).</summary>
    Buffer,

    /// <summary>Fixed, as a tensor (a scale, a mask).</summary>
    Fixed,

    /// <summary>Read at construction (a shape, a limit), not passed as a tensor.</summary>
    Constant,
}

/// <param name="IsTraining">Batch statistics, dropout and running updates.</param>
/// <param name="UseBFloat16">Convolutions and matrix products in bf16, everything else in fp32.</param>
internal readonly record struct ForwardMode(bool IsTraining, bool UseBFloat16)
{
    public static ForwardMode Evaluation => default;
}
