using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>The shapes of the operators of ai.dovetail (docs/operators.md).</summary>
internal static class DovetailOperators
{
    public static IReadOnlyList<OnnxOperator> Rows { get; } =
    [
        Of("AveragePoolNhwc", 1, WindowRules.SlideChannelsLast),
        Of("DepthwiseConvNhwc", 2, WindowRules.SlideChannelsLast),
        Of("GlobalAveragePoolNhwc", 1, c => [new TensorInfo(OnnxType.Float, [c.Input(0, rank: 4).Shape[0], c.Input(0).Shape[3]])]),
        Of("MaxPoolNhwc", 1, WindowRules.SlideChannelsLast),
        Of("MaxPoolNhwcU8", 1, WindowRules.SlideChannelsLast),
        Of("PackedConv", 3, c => WindowRules.PackedConv(c, OnnxType.Float)),
        Of("PackedGemm", 3, c => MatrixRules.PackedGemm(c, OnnxType.Float)),
        Of("PackedQLinearConv", 8, c => WindowRules.PackedConv(c, OnnxType.UInt8)),
        Of("PackedQLinearGemm", 8, c => MatrixRules.PackedGemm(c, OnnxType.UInt8)),
    ];

    private static OnnxOperator Of(string name, int requiredInputs, Func<ShapeContext, TensorInfo[]> shape) =>
        new(name, 1) { Domain = OnnxModel.DovetailDomain, RequiredInputs = requiredInputs, Shape = shape };
}
