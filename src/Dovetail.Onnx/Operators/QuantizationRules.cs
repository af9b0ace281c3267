using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Operators;

/// <summary>Types of operators between numbers and integers that stand for them.</summary>
internal static class QuantizationRules
{
    public static TensorInfo[] Quantize(ShapeContext c) =>
        [c.Input(0) with { Type = c.Node.HasInput(2) ? c.Input(2).Type : OutputType(c) ?? OnnxType.UInt8 }];

    /// <summary>Float before version 19, then as the scale.</summary>
    public static TensorInfo[] Dequantize(ShapeContext c) =>
        [c.Input(0) with { Type = c.Version < 19 ? OnnxType.Float : OutputType(c) ?? c.Input(1).Type }];

    public static TensorInfo[] DynamicQuantize(ShapeContext c) =>
        [c.Input(0) with { Type = OnnxType.UInt8 }, new TensorInfo(OnnxType.Float, []), new TensorInfo(OnnxType.UInt8, [])];

    private static OnnxType? OutputType(ShapeContext c) => c.Node.GetInt("output_dtype", 0) is > 0 and var type ? (OnnxType)type : null;
}
