using System.Collections.Immutable;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>One of the four operators with packed weights.</summary>
internal sealed class PackedOperator : CustomOperator
{
    private static readonly ImmutableArray<OperatorInput> Float32Inputs =
    [
        new("X", ElementType.Float), new("values", ElementType.Undefined), new("owners", ElementType.UInt8),
        new("B", ElementType.Float, IsOptional: true), new("R", ElementType.Float, IsOptional: true),
    ];

    private static readonly ImmutableArray<OperatorInput> QuantizedInputs =
    [
        new("X", ElementType.UInt8), new("x_scale", ElementType.Float), new("x_zero_point", ElementType.UInt8),
        new("values", ElementType.Int8), new("owners", ElementType.UInt8), new("w_scale", ElementType.Float),
        new("y_scale", ElementType.Float), new("y_zero_point", ElementType.UInt8),
        new("B", ElementType.Int32, IsOptional: true),
    ];

    private readonly bool _isConvolution;
    private readonly bool _isQuantized;

    private PackedOperator(string name, bool isConvolution, bool isQuantized)
        : base(name, isQuantized ? QuantizedInputs : Float32Inputs, isQuantized ? ElementType.UInt8 : ElementType.Float) =>
        (_isConvolution, _isQuantized) = (isConvolution, isQuantized);

    public static new ImmutableArray<PackedOperator> All { get; } =
    [
        new("PackedConv", isConvolution: true, isQuantized: false),
        new("PackedGemm", isConvolution: false, isQuantized: false),
        new("PackedQLinearConv", isConvolution: true, isQuantized: true),
        new("PackedQLinearGemm", isConvolution: false, isQuantized: true),
    ];

    public override OperatorKernel CreateKernel(KernelInfo info)
    {
        CellLayout layout = info.Layout(_isConvolution);
        ConvolutionGeometry? convolution = null;
        if (_isConvolution)
        {
            int[] strides = info.Ints("strides", [1, 1], 1), pads = info.Ints("pads", [0, 0, 0, 0], 0), dilations = info.Ints("dilations", [1, 1], 1);
            convolution = new ConvolutionGeometry(
                0, 0, layout.Shape.Dimensions[2], layout.Shape.Dimensions[3], strides[0], strides[1],
                pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1], layout.Shape.Groups);
        }

        PreparedLayer layer = _isQuantized ? Quantized(info, layout) : Float32(info, layout);
        int? residual = !_isQuantized && info.HasInput("R") ? IndexOf("R") : null;
        return new LayerKernel(info.Api, info.NodeDescription, layer, convolution, residual);
    }

    public override void InferShape(OrtShapeInference inference)
    {
        if (inference.Input(0) is not { } input || inference.AttributeInts("weight_shape") is not { } weight)
            return;
        (long[] dimensions, nint[] symbols) = input;
        if (_isConvolution)
        {
            if (dimensions.Length != 4 || weight.Length != 4)
                throw new OperatorException($"X has rank {dimensions.Length} and weight_shape {weight.Length} dimensions, expected 4 of both: NHWC and [M, C/group, kh, kw].");
            int[] strides = inference.Ints("strides", [1, 1], 1), pads = inference.Ints("pads", [0, 0, 0, 0], 0);
            int[] dilations = inference.Ints("dilations", [1, 1], 1);
            for (int axis = 0; axis < 2; axis++)
            {
                symbols[axis + 1] = 0;
                if (dimensions[axis + 1] >= 0)
                    dimensions[axis + 1] = (dimensions[axis + 1] + pads[axis] + pads[axis + 2] - dilations[axis] * (weight[axis + 2] - 1) - 1) / strides[axis] + 1;
            }
        }

        if (dimensions.Length == 0 || weight.Length == 0)
            throw new OperatorException($"X has rank {dimensions.Length} and weight_shape {weight.Length} dimensions, expected at least one of both.");
        (dimensions[^1], symbols[^1]) = (weight[0], 0);
        inference.SetOutput(0, OutputType, dimensions, symbols);
    }

    private static PreparedLayer<float> Float32(KernelInfo info, CellLayout layout)
    {
        PackedTensor<float> weights = info.FloatWeights(layout);
        float[]? bias = info.HasInput("B") ? info.Constant<float>("B", layout.Shape.Outputs) : null;
        return KernelRegistry.Prepare(new Float32Specification(weights, bias, info.Activation, info.Operands));
    }

    private static PreparedLayer<byte> Quantized(KernelInfo info, CellLayout layout)
    {
        PackedTensor<sbyte> weights = info.Weights<sbyte>(layout);
        int[]? bias = info.HasInput("B") ? info.Constant<int>("B", layout.Shape.Outputs) : null;
        float outputScale = info.Scalar<float>("y_scale");
        byte outputZeroPoint = info.Scalar<byte>("y_zero_point");
        float[] factors = QuantizedSpecification.ComputeFactors(
            info.Scalar<float>("x_scale"), info.Constant<float>("w_scale", layout.Shape.Outputs), outputScale);
        (byte lowest, byte highest) = QuantizedSpecification.Bounds(info.Activation, outputScale, outputZeroPoint);
        return KernelRegistry.Prepare(new QuantizedSpecification(
            weights, bias, info.Scalar<byte>("x_zero_point"), factors, outputZeroPoint, lowest, highest));
    }
}
