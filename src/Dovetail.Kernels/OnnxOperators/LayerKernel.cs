using Dovetail.Core.Workloads;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>A prepared layer as an ONNX Runtime kernel: reads shapes, asks for the output, runs on the session's threads.</summary>
internal sealed unsafe class LayerKernel(
    OrtApi api, string nodeDescription, PreparedLayer layer, ConvolutionGeometry? convolution, int? residualIndex)
    : OperatorKernel(api, nodeDescription)
{
    public override void Compute(nint context)
    {
        OrtApi api = Api;
        nint x = api.Input(context, 0);
        (long[] dimensions, _) = api.TensorShape(x);
        int channels = layer.Shape.Channels * layer.Shape.Groups;
        int batch = 1;
        ConvolutionGeometry geometry;
        if (convolution is not null)
        {
            if (dimensions.Length != 4 || dimensions[3] != channels)
                throw new OperatorException($"X has the shape [{string.Join(", ", dimensions)}], expected [N, H, W, {channels}].");
            batch = checked((int)dimensions[0]);
            geometry = convolution with { InputHeight = checked((int)dimensions[1]), InputWidth = checked((int)dimensions[2]) };
        }
        else
        {
            if (dimensions.Length < 1 || dimensions[^1] != channels)
                throw new OperatorException($"X has the shape [{string.Join(", ", dimensions)}], expected [..., {channels}].");
            long rows = 1;
            foreach (long dimension in dimensions.AsSpan(0, dimensions.Length - 1))
                rows = checked(rows * dimension);
            geometry = PreparedLayer.RowsOf(checked((int)rows));
        }

        layer.CheckGeometry(batch, geometry);
        long[] outputShape = convolution is null
            ? [.. dimensions.AsSpan(0, dimensions.Length - 1), layer.Shape.Outputs]
            : [batch, geometry.OutputHeight, geometry.OutputWidth, layer.Shape.Outputs];
        void* residual = null;
        if (residualIndex is { } index && api.Input(context, index) is var r and not 0)
        {
            (long[] residualShape, _) = api.TensorShape(r);
            if (!residualShape.AsSpan().SequenceEqual(outputShape))
                throw new OperatorException($"R has the shape [{string.Join(", ", residualShape)}], expected the output's, "
                    + $"[{string.Join(", ", outputShape)}].");
            residual = api.TensorData(r);
        }

        nint y = api.Output(context, 0, outputShape);
        if (outputShape.AsSpan().Contains(0))
            return;
        long outputElements = (long)batch * geometry.OutputPixels * layer.Shape.Outputs;
        int elementBytes = layer is PreparedLayer<float> ? sizeof(float) : sizeof(byte);
        CheckApart("X", api.TensorData(x), (long)batch * geometry.InputHeight * geometry.InputWidth * channels * elementBytes,
            api.TensorData(y), outputElements * elementBytes);
        if (residual != null)
            CheckApart("R", residual, outputElements * elementBytes, api.TensorData(y), outputElements * elementBytes, mayCoincide: true);
        Run(context, new LayerCall(api.TensorData(x), residual, api.TensorData(y), batch, geometry));
    }

    public override void Dispose()
    {
        layer.Dispose();
        base.Dispose();
    }

    private void Run(nint context, LayerCall given)
    {
        using StagedInput staged = StagedInput.Of(layer, given);
        LayerCall call = staged.Call;
        int tasks = layer.TaskCount(call);
        if (tasks == 1)
        {
            layer.RunTask(call, 0);
            return;
        }

        ParallelTasks.Run(Api, context, tasks, task => layer.RunTask(call, task));
    }
}
