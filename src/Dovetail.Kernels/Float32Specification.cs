using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Kernels;

/// <summary>A floating-point layer: y = activation(W·x + bias + residual).</summary>
/// <param name="Weights">W, packed.</param>
/// <param name="Bias">[outputs], or null.</param>
/// <param name="Activation">Applied last.</param>
/// <param name="Operands">What x and W are rounded to before they are multiplied.</param>
public sealed record Float32Specification(
    PackedTensor<float> Weights, float[]? Bias = null, Activation Activation = default, FloatOperands Operands = FloatOperands.Float32)
        : ILayerSpecification
{
    CellLayout ILayerSpecification.Layout => Weights.Layout;

    void ILayerSpecification.Validate()
    {
        if (Bias is not null && Bias.Length != Weights.Shape.Outputs)
            throw new KernelException($"The bias has {Bias.Length} entries, expected {Weights.Shape.Outputs}, one an output.");
    }
}
