using Dovetail.Core.Operators;
using Dovetail.Kernels.ChannelsLast;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>GlobalAveragePoolNhwc: [N, H, W, C] to [N, C].</summary>
internal sealed class GlobalAverageOperator : CustomOperator
{
    private GlobalAverageOperator() : base(OperatorSet.GlobalAveragePool) { }

    public static GlobalAverageOperator Instance { get; } = new();

    public override OperatorKernel CreateKernel(KernelInfo info) => new Kernel(info.Api, info.NodeDescription);

    public override void InferShape(OrtShapeInference inference)
    {
        if (inference.Input(0) is not { } input)
            return;
        (long[] dimensions, nint[] symbols) = input;
        Check(dimensions);
        inference.SetOutput(0, Schema.OutputType, [dimensions[0], dimensions[3]], [symbols[0], symbols[3]]);
    }

    private static void Check(long[] dimensions)
    {
        if (dimensions.Length != 4)
            throw new OperatorException($"X has the shape [{string.Join(", ", dimensions)}], expected [N, H, W, C].");
    }

    private sealed unsafe class Kernel(OrtApi api, string nodeDescription) : OperatorKernel(api, nodeDescription)
    {
        public override void Compute(nint context)
        {
            nint x = Api.Input(context, 0);
            (long[] dimensions, _) = Api.TensorShape(x);
            Check(dimensions);
            if (dimensions[1] * dimensions[2] == 0 && dimensions[0] * dimensions[3] > 0)
                throw new OperatorException($"X has the shape [{string.Join(", ", dimensions)}] without a pixel, expected at least one.");
            nint y = Api.Output(context, 0, [dimensions[0], dimensions[3]]);
            var (height, width, channels) = (checked((int)dimensions[1]), checked((int)dimensions[2]), checked((int)dimensions[3]));
            var input = (float*)Api.TensorData(x);
            var output = (float*)Api.TensorData(y);
            for (long image = 0; image < dimensions[0]; image++)
                GlobalAverage.Run(input + image * height * width * channels, output + image * channels, height, width, channels);
        }
    }
}
