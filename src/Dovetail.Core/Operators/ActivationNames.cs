namespace Dovetail.Core.Operators;

/// <summary>The values of the attribute <c>activation</c>; docs/operators.md says what they compute.</summary>
public static class ActivationNames
{
    public const string None = "none", Relu = "relu", Clip = "clip", Silu = "silu", Gelu = "gelu", GeluTanh = "gelu_tanh";
}
