using System.Collections.Immutable;
using Dovetail.Core.Operators;
using Dovetail.Kernels.ChannelsLast;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>MaxPoolNhwc, AveragePoolNhwc and DepthwiseConvNhwc: a window slides over the channels of NHWC images.</summary>
internal sealed class WindowOperator : CustomOperator
{
    private readonly Func<KernelInfo, SlidingWindow, WindowKernel> _make;

    private WindowOperator(OperatorSchema schema, Func<KernelInfo, SlidingWindow, WindowKernel> make) : base(schema) => _make = make;

    public static new ImmutableArray<CustomOperator> All { get; } =
    [
        new WindowOperator(OperatorSet.MaxPool, (_, window) => new MaxPoolKernel<float>(window)),
        new WindowOperator(OperatorSet.MaxPoolBytes, (_, window) => new MaxPoolKernel<byte>(window)),
        new WindowOperator(
            OperatorSet.AveragePool, (info, window) => new AveragePoolKernel(window, info.Get(OperatorAttributes.CountIncludePad) != 0)),
        new WindowOperator(OperatorSet.DepthwiseConv, Depthwise),
    ];

    public override OperatorKernel CreateKernel(KernelInfo info)
    {
        int[] kernel = info.Get(OperatorAttributes.KernelShape), strides = info.Get(OperatorAttributes.Strides);
        int[] pads = info.Get(OperatorAttributes.Pads), dilations = info.Get(OperatorAttributes.Dilations);
        var window = new SlidingWindow(
            kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1],
            info.Get(OperatorAttributes.CeilMode) != 0);
        return new WindowOperatorKernel(
            info.Api, info.NodeDescription, _make(info, window),
            info.HasInput(InputNames.Filter) ? info.Dimensions(InputNames.Filter)[^1] : null);
    }

    public override void InferShape(OrtShapeInference inference)
    {
        if (inference.Input(0) is not { } input || inference.AttributeInts(OperatorAttributes.KernelShape.Name) is null)
            return;
        (long[] dimensions, nint[] symbols) = input;
        if (dimensions.Length != 4)
            throw new OperatorException($"X has rank {dimensions.Length}, expected 4: NHWC.");
        int[] kernel = inference.Get(OperatorAttributes.KernelShape), strides = inference.Get(OperatorAttributes.Strides);
        int[] pads = inference.Get(OperatorAttributes.Pads), dilations = inference.Get(OperatorAttributes.Dilations);
        var window = new SlidingWindow(
            kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1],
            inference.Get(OperatorAttributes.CeilMode) != 0);
        symbols[1] = symbols[2] = 0;
        if (dimensions[1] >= 0)
            dimensions[1] = window.OutputHeight(dimensions[1]);
        if (dimensions[2] >= 0)
            dimensions[2] = window.OutputWidth(dimensions[2]);
        inference.SetOutput(0, Schema.OutputType, dimensions, symbols);
    }

    private static DepthwiseKernel Depthwise(KernelInfo info, SlidingWindow window)
    {
        long[] shape = info.Dimensions(InputNames.Filter);
        if (shape.Length != 3 || shape[0] != window.KernelHeight || shape[1] != window.KernelWidth)
            throw new OperatorException($"The input '{InputNames.Filter}' has the shape [{string.Join(", ", shape)}], expected "
                + $"[{window.KernelHeight}, {window.KernelWidth}, C].");
        int channels = checked((int)shape[2]);
        return new DepthwiseKernel(
            window, info.Constant<float>(InputNames.Filter, window.KernelHeight, window.KernelWidth, channels),
            info.HasInput(InputNames.Bias) ? info.Constant<float>(InputNames.Bias, channels) : null, info.Activation);
    }
}
