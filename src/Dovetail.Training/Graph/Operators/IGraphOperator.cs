using static TorchSharp.torch;

namespace Dovetail.Training.Graph.Operators;

/// <summary>One node of an ONNX graph as Torch operations. Attributes are read once, at construction.</summary>
internal interface IGraphOperator
{
    /// <summary>What a constant at this input is to the operator.</summary>
    InputRole RoleOf(int input) => InputRole.Passed;

    /// <param name="inputs">As in ONNX; null where an optional one is left out, or where its role is <see cref="InputRole.Constant"/>.
    /// </param>
    Tensor Forward(ReadOnlySpan<Tensor?> inputs, ForwardMode mode);
}

/// <param name="IsTraining">Batch statistics, dropout and running updates.</param>
/// <param name="UseBFloat16">Convolutions and matrix products in bf16, everything else in fp32.</param>
internal readonly record struct ForwardMode(bool IsTraining, bool UseBFloat16)
{
    public static ForwardMode Evaluation => default;
}
