using System.Collections.Immutable;
using Dovetail.Kernels.ChannelsLast;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>MaxPoolNhwc, AveragePoolNhwc and DepthwiseConvNhwc: a window slides over the channels of NHWC images.</summary>
internal sealed class WindowOperator : CustomOperator
{
    private static readonly ImmutableArray<OperatorInput> Float = [new("X", ElementType.Float)];

    private static readonly ImmutableArray<OperatorInput> Convolution =
        [new("X", ElementType.Float), new("W", ElementType.Float), new("B", ElementType.Float, IsOptional: true)];

    private readonly Func<KernelInfo, SlidingWindow, WindowKernel> _make;
    private readonly bool _isConvolution;

    private WindowOperator(string name, ImmutableArray<OperatorInput> inputs, Func<KernelInfo, SlidingWindow, WindowKernel> make)
        : base(name, inputs, inputs[0].Type) => (_make, _isConvolution) = (make, inputs.Length > 1);

    public static new ImmutableArray<CustomOperator> All { get; } =
    [
        new WindowOperator("MaxPoolNhwc", Float, (_, window) => new MaxPoolKernel<float>(window)),
        new WindowOperator("MaxPoolNhwcU8", [new("X", ElementType.UInt8)], (_, window) => new MaxPoolKernel<byte>(window)),
        new WindowOperator("AveragePoolNhwc", Float, (info, window) => new AveragePoolKernel(window, info.Int("count_include_pad", 0, 0) != 0)),
        new WindowOperator("DepthwiseConvNhwc", Convolution, Depthwise),
    ];

    public override OperatorKernel CreateKernel(KernelInfo info)
    {
        int[] kernel = info.Ints("kernel_shape", null, 2, 1), strides = info.Ints("strides", [1, 1], 1);
        int[] pads = info.Ints("pads", [0, 0, 0, 0], 0), dilations = info.Ints("dilations", [1, 1], 1);
        var window = new SlidingWindow(
            kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1],
            info.Int("ceil_mode", 0, 0) != 0);
        return new WindowOperatorKernel(info.Api, info.NodeDescription, _make(info, window), _isConvolution ? info.Dimensions("W")[^1] : null);
    }

    public override void InferShape(OrtShapeInference inference)
    {
        if (inference.Input(0) is not { } input || inference.AttributeInts("kernel_shape") is null)
            return;
        (long[] dimensions, nint[] symbols) = input;
        if (dimensions.Length != 4)
            throw new OperatorException($"X has rank {dimensions.Length}, expected 4: NHWC.");
        int[] strides = inference.Ints("strides", [1, 1], 1), pads = inference.Ints("pads", [0, 0, 0, 0], 0), dilations = inference.Ints("dilations", [1, 1], 1);
        int[] kernel = inference.Ints("kernel_shape", [1, 1], 1);
        var window = new SlidingWindow(
            kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1],
            (inference.AttributeInt("ceil_mode") ?? 0) != 0);
        symbols[1] = symbols[2] = 0;
        if (dimensions[1] >= 0)
            dimensions[1] = window.OutputHeight(dimensions[1]);
        if (dimensions[2] >= 0)
            dimensions[2] = window.OutputWidth(dimensions[2]);
        inference.SetOutput(0, OutputType, dimensions, symbols);
    }

    private static DepthwiseKernel Depthwise(KernelInfo info, SlidingWindow window)
    {
        long[] shape = info.Dimensions("W");
        if (shape.Length != 3 || shape[0] != window.KernelHeight || shape[1] != window.KernelWidth)
            throw new OperatorException($"The input 'W' has the shape [{string.Join(", ", shape)}], expected [{window.KernelHeight}, {window.KernelWidth}, C].");
        int channels = checked((int)shape[2]);
        return new DepthwiseKernel(
            window, info.Constant<float>("W", window.KernelHeight, window.KernelWidth, channels),
            info.HasInput("B") ? info.Constant<float>("B", channels) : null, info.Activation);
    }
}
