using Dovetail.Kernels.ChannelsLast;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>A window kernel as an ONNX Runtime kernel: reads shapes, asks for the output, runs rows on the session's threads.</summary>
/// <param name="channels">What X must have; null: any.</param>
internal sealed unsafe class WindowOperatorKernel(OrtApi api, string nodeDescription, WindowKernel kernel, long? channels)
    : OperatorKernel(api, nodeDescription)
{
    /// <summary>Products or comparisons below which a run is not worth splitting.</summary>
    private const long SmallWork = 400_000;

    private const int TasksWanted = 8;

    public override void Compute(nint context)
    {
        nint x = Api.Input(context, 0);
        (long[] dimensions, _) = Api.TensorShape(x);
        if (dimensions.Length != 4 || (channels is { } c && dimensions[3] != c))
            throw new OperatorException($"X has the shape [{string.Join(", ", dimensions)}], expected [N, H, W, "
                + $"{channels?.ToString() ?? "C"}].");
        SlidingWindow window = kernel.Window;
        long height = window.OutputHeight(dimensions[1]), width = window.OutputWidth(dimensions[2]);
        if (height < 1 || width < 1)
            throw new OperatorException($"The input of {dimensions[1]} × {dimensions[2]} pixels with its pads is smaller than the window "
                + $"of {window.KernelHeight} × {window.KernelWidth}.");
        long[] shape = [dimensions[0], height, width, dimensions[3]];
        if (checked(dimensions[0] * dimensions[1] * dimensions[2] * dimensions[3]) > int.MaxValue
            || checked(shape[0] * height * width * shape[3]) > int.MaxValue)
            throw new OperatorException($"X has the shape [{string.Join(", ", dimensions)}], expected at most {int.MaxValue} elements in "
                + "and out. Use smaller batches.");
        nint y = Api.Output(context, 0, shape);
        if (shape.AsSpan().Contains(0))
            return;
        var call = new WindowCall(
            (nint)Api.TensorData(x), (nint)Api.TensorData(y), (int)dimensions[0], (int)dimensions[1], (int)dimensions[2], (int)height,
            (int)width, (int)dimensions[3]);
        int elementBytes = kernel.ElementBytes, rows = call.Rows;
        CheckApart(
            "X", (void*)call.Input, dimensions[0] * dimensions[1] * dimensions[2] * dimensions[3] * elementBytes,
            (void*)call.Output, shape[0] * height * width * shape[3] * elementBytes);
        int tasks = (long)rows * call.OutputWidth * call.Channels * window.Taps < SmallWork ? 1 : Math.Min(rows, TasksWanted);
        if (tasks == 1)
            RunRows(call, 0, rows);
        else
            ParallelTasks.Run(
                Api, context, tasks, task => RunRows(call, (int)((long)rows * task / tasks), (int)((long)rows * (task + 1) / tasks)));
    }

    private void RunRows(in WindowCall call, int first, int end)
    {
        for (int row = first; row < end; row++)
            kernel.RunRow(call, row);
    }
}
