namespace Dovetail.Onnx.Operators;

/// <summary>Products of matrices.</summary>
internal static class MatrixOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        new("Einsum", 12),
        // The attribute broadcast, before version 7, only allows what is allowed since.
        new("Gemm", 1, 6, 7, 9, 11, 13) { RequiredInputs = 2, Shape = MatrixRules.Gemm, Channels = ChannelTie.Gemm },
        new("MatMul", 1, 9, 13) { RequiredInputs = 2, Shape = c => [MatrixRules.MatMul(c)], Channels = ChannelTie.MatMul },
    ];
}
