namespace Dovetail.Core.Operators;

/// <summary>The values of the attribute <c>operands</c>: what a floating-point layer rounds its factors to.</summary>
public static class OperandNames
{
    public const string Float32 = "fp32", BFloat16 = "bf16";
}
