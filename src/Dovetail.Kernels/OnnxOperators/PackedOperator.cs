using System.Collections.Immutable;
using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>One of the four operators with packed weights.</summary>
internal sealed class PackedOperator : CustomOperator
{
    private PackedOperator(OperatorSchema schema) : base(schema) { }

    public static new ImmutableArray<PackedOperator> All
    {
        get;
    } = [.. OperatorSet.All.Where(schema => schema.IsPacked).Select(schema => new PackedOperator(schema))];

    public override OperatorKernel CreateKernel(KernelInfo info)
    {
        CellLayout layout = info.Layout(Schema.IsConvolution);
        ConvolutionGeometry? convolution = null;
        if (Schema.IsConvolution)
        {
            int[] strides = info.Get(OperatorAttributes.Strides), pads = info.Get(OperatorAttributes.Pads),
                dilations = info.Get(OperatorAttributes.Dilations);
            convolution = new ConvolutionGeometry(
                0, 0, layout.Shape.Dimensions[2], layout.Shape.Dimensions[3], strides[0], strides[1],
                pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1], layout.Shape.Groups);
        }

        PreparedLayer layer = Schema.IsQuantized ? Quantized(info, layout) : Float32(info, layout);
        int? residual = info.HasInput(InputNames.Residual) ? Schema.InputIndex(InputNames.Residual) : null;
        return new LayerKernel(info.Api, info.NodeDescription, layer, convolution, residual);
    }

    public override void InferShape(OrtShapeInference inference)
    {
        if (inference.Input(0) is not { } input || inference.AttributeInts(OperatorAttributes.WeightShape.Name) is not { } weight)
            return;
        (long[] dimensions, nint[] symbols) = input;
        if (Schema.IsConvolution)
        {
            if (dimensions.Length != 4 || weight.Length != 4)
                throw new OperatorException($"X has rank {dimensions.Length} and weight_shape {weight.Length} dimensions, expected 4 of "
                    + "both: NHWC and [M, C/group, kh, kw].");
            int[] strides = inference.Get(OperatorAttributes.Strides), pads = inference.Get(OperatorAttributes.Pads);
            int[] dilations = inference.Get(OperatorAttributes.Dilations);
            for (int axis = 0; axis < 2; axis++)
            {
                symbols[axis + 1] = 0;
                if (dimensions[axis + 1] >= 0)
                    dimensions[axis + 1] = (
                        dimensions[axis + 1] + pads[axis] + pads[axis + 2] - dilations[axis] * (weight[axis + 2] - 1) - 1) / strides[axis]
                        + 1;
            }
        }

        if (dimensions.Length == 0 || weight.Length == 0)
            throw new OperatorException($"X has rank {dimensions.Length} and weight_shape {weight.Length} dimensions, expected at least "
                + "one of both.");
        (dimensions[^1], symbols[^1]) = (weight[0], 0);
        inference.SetOutput(0, Schema.OutputType, dimensions, symbols);
    }

    private static PreparedLayer<float> Float32(KernelInfo info, CellLayout layout)
    {
        PackedTensor<float> weights = info.FloatWeights(layout);
        float[]? bias = info.HasInput(InputNames.Bias) ? info.Constant<float>(InputNames.Bias, layout.Shape.Outputs) : null;
        return KernelRegistry.Prepare(new Float32Specification(weights, bias, info.Activation, info.Operands));
    }

    private static PreparedLayer<byte> Quantized(KernelInfo info, CellLayout layout)
    {
        PackedTensor<sbyte> weights = info.Weights<sbyte>(layout);
        int[]? bias = info.HasInput(InputNames.Bias) ? info.Constant<int>(InputNames.Bias, layout.Shape.Outputs) : null;
        float outputScale = info.Scalar<float>(InputNames.OutputScale);
        byte outputZeroPoint = info.Scalar<byte>(InputNames.OutputZeroPoint);
        float[] factors = QuantizedSpecification.ComputeFactors(
            info.Scalar<float>(InputNames.InputScale), info.Constant<float>(InputNames.WeightScales, layout.Shape.Outputs), outputScale);
        (byte lowest, byte highest) = QuantizedSpecification.Bounds(info.Activation, outputScale, outputZeroPoint);
        return KernelRegistry.Prepare(new QuantizedSpecification(
            weights, bias, info.Scalar<byte>(InputNames.InputZeroPoint), factors, outputZeroPoint, lowest, highest));
    }
}
