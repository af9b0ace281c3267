using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Operators on integers that stand for numbers, and those between both.</summary>
internal static class QuantizationOperators
{
    private static readonly LayoutFreedom OneScale =
        LayoutFreedom.Elementwise with { Only = op => op.Model.FindConstant(op.Node.Inputs[1])?.ElementCount() == 1 };

    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        new("ConvInteger", 10) { RequiredInputs = 2, Shape = c => [WindowRules.Conv(c) with { Type = OnnxType.Int32 }] },
        new("DequantizeLinear", 10, 13, 19, 21, 23, 24, 25) { RequiredInputs = 2, Shape = QuantizationRules.Dequantize, Layout = OneScale },
        new("DynamicQuantizeLinear", 11) { Shape = QuantizationRules.DynamicQuantize },
        new("MatMulInteger", 10) { RequiredInputs = 2, Shape = c => [MatrixRules.MatMul(c) with { Type = OnnxType.Int32 }] },
        new("QLinearConv", 10) { RequiredInputs = 8, Shape = c => [WindowRules.Conv(c, weights: 3) with { Type = c.Input(7).Type }] },
        new("QLinearMatMul", 10, 21)
        {
            RequiredInputs = 8,
            Shape = c => [MatrixRules.MatMul(c, second: 3) with { Type = c.Input(7).Type }],
        },
        new("QuantizeLinear", 10, 13, 19, 21, 23, 24, 25) { RequiredInputs = 2, Shape = QuantizationRules.Quantize, Layout = OneScale },
    ];
}
