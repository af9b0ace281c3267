using System.Collections.Immutable;
using static Dovetail.Core.Operators.OperatorAttributes;

namespace Dovetail.Core.Operators;

/// <summary>The operators of Dovetail's domain, in the order of docs/operators.md; a test compares the two.</summary>
public static class OperatorSet
{
    public const string Domain = "ai.dovetail";

    /// <summary>What files import: the newest.</summary>
    public const int Version = 1;

    /// <summary>What ONNX Runtime writes for every custom domain into the models that it optimized: any version.</summary>
    public const int AnyVersion = 1000;

    /// <summary>True for a version of the domain whose files are read.</summary>
    public static bool Reads(long version) => version is >= 1 and <= Version or AnyVersion;

    private const string Image = "[N,H,W,C]", Convolved = "[N,OH,OW,M]", Pooled = "[N,OH,OW,C]";
    private const string Rows = "[…,K]", Multiplied = "[…,M]", PerOutput = "[M]", Scalar = "scalar";

    private static readonly OperatorInput Values =
        new(InputNames.Values, [ElementType.Float, ElementType.Float16, ElementType.BFloat16], "[ValueRows,ValueColumns]");
    private static readonly OperatorInput Owners = new(InputNames.Owners, [ElementType.UInt8], "[OwnerRows,RowBytes]");
    private static readonly ImmutableArray<OperatorAttribute> Weights = [Pattern, WeightShape];
    private static readonly ImmutableArray<OperatorAttribute> Sliding = [Strides, Pads, Dilations];
    private static readonly ImmutableArray<OperatorAttribute> Window = [KernelShape, .. Sliding];

    public static OperatorSchema PackedConv { get; } = new(
        "PackedConv", 1, "Conv", FloatInputs(Image, Convolved), ElementType.Float, Convolved,
        [.. Weights, .. Activations, Operands, .. Sliding, Group]);

    public static OperatorSchema PackedGemm { get; } = new(
        "PackedGemm", 1, "Gemm", FloatInputs(Rows, Multiplied), ElementType.Float, Multiplied, [.. Weights, .. Activations, Operands]);

    public static OperatorSchema PackedQLinearConv { get; } = new(
        "PackedQLinearConv", 1, "Conv", QuantizedInputs(Image), ElementType.UInt8, Convolved,
        [.. Weights, .. IntegerActivations, .. Sliding, Group]);

    public static OperatorSchema PackedQLinearGemm { get; } = new(
        "PackedQLinearGemm", 1, "Gemm", QuantizedInputs(Rows), ElementType.UInt8, Multiplied, [.. Weights, .. IntegerActivations]);

    public static OperatorSchema MaxPool { get; } = new(
        "MaxPoolNhwc", 1, "MaxPool", [Input(ElementType.Float, Image)], ElementType.Float, Pooled, [.. Window, CeilMode]);

    public static OperatorSchema MaxPoolBytes { get; } = new(
        "MaxPoolNhwcU8", 1, "MaxPool", [Input(ElementType.UInt8, Image)], ElementType.UInt8, Pooled, [.. Window, CeilMode]);

    public static OperatorSchema AveragePool { get; } = new(
        "AveragePoolNhwc", 1, "AveragePool", [Input(ElementType.Float, Image)], ElementType.Float, Pooled,
        [.. Window, CeilMode, CountIncludePad]);

    public static OperatorSchema DepthwiseConv { get; } = new(
        "DepthwiseConvNhwc", 1, "Conv",
        [
            Input(ElementType.Float, Image), new(InputNames.Filter, [ElementType.Float], "[kh,kw,C]"),
            new(InputNames.Bias, [ElementType.Float], "[C]", IsOptional: true),
        ],
        ElementType.Float, Pooled, [.. Window, .. Activations]);

    public static OperatorSchema GlobalAveragePool { get; } = new(
        "GlobalAveragePoolNhwc", 1, "GlobalAveragePool", [Input(ElementType.Float, Image)], ElementType.Float, "[N,C]", []);

    public static ImmutableArray<OperatorSchema> All { get; } =
        [PackedConv, PackedGemm, PackedQLinearConv, PackedQLinearGemm, MaxPool, MaxPoolBytes, AveragePool, DepthwiseConv,
            GlobalAveragePool];

    /// <summary>The operator of a name; null where the domain has none.</summary>
    public static OperatorSchema? Find(string name) => All.FirstOrDefault(schema => schema.Name == name);

    /// <summary>The operator with packed weights.</summary>
    /// <param name="isConvolution">Under a window; otherwise a matrix product.</param>
    /// <param name="isQuantized">int8; otherwise floating-point.</param>
    public static OperatorSchema Packed(bool isConvolution, bool isQuantized) =>
        isConvolution ? isQuantized ? PackedQLinearConv : PackedConv : isQuantized ? PackedQLinearGemm : PackedGemm;

    private static OperatorInput Input(ElementType type, string shape) => new(InputNames.X, [type], shape);

    private static ImmutableArray<OperatorInput> FloatInputs(string input, string output) =>
    [
        Input(ElementType.Float, input), Values, Owners,
        new(InputNames.Bias, [ElementType.Float], PerOutput, IsOptional: true),
        new(InputNames.Residual, [ElementType.Float], output, IsOptional: true),
    ];

    private static ImmutableArray<OperatorInput> QuantizedInputs(string input) =>
    [
        Input(ElementType.UInt8, input),
        new(InputNames.InputScale, [ElementType.Float], Scalar), new(InputNames.InputZeroPoint, [ElementType.UInt8], Scalar),
        Values with { Types = [ElementType.Int8] }, Owners, new(InputNames.WeightScales, [ElementType.Float], PerOutput),
        new(InputNames.OutputScale, [ElementType.Float], Scalar), new(InputNames.OutputZeroPoint, [ElementType.UInt8], Scalar),
        new(InputNames.Bias, [ElementType.Int32], PerOutput, IsOptional: true),
    ];
}
