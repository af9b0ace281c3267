using System.Diagnostics;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;

namespace Dovetail.Kernels;

/// <summary>
/// A layer whose constants a kernel has laid out for itself. Runs may overlap in time. A matrix product
/// over n rows is the 1×1 convolution over an image of 1 × n pixels (<see cref="RowsOf"/>).
/// </summary>
public abstract class PreparedLayer : IDisposable
{
    /// <summary>Multiply-accumulates of kept weights: some 10 µs.</summary>
    private const long SmallWork = 400_000;

    private protected PreparedLayer(string kernelName, CellLayout layout) => (KernelName, Layout) = (kernelName, layout);

    public string KernelName { get; }

    /// <summary>The kernel that runs so many output pixels of all images.</summary>
    public virtual string KernelNameFor(long pixels) => KernelName;

    public CellLayout Layout { get; }

    public WeightShape Shape => Layout.Shape;

    private protected int InputChannels => Shape.Channels * Shape.Groups;

    /// <summary>True where a run is not worth splitting into tasks.</summary>
    private protected bool IsSmall(in LayerCall call) => (long)Layout.ValueCount * call.Pixels < SmallWork;

    /// <summary>The geometry of a matrix product over <paramref name="rows"/> input rows.</summary>
    public static ConvolutionGeometry RowsOf(int rows) => new(1, rows, 1, 1);

    /// <summary>Independent parts of a run; 1 where splitting would cost more than it gains.</summary>
    internal abstract int TaskCount(in LayerCall call);

    /// <summary>Computes one part, 0 ≤ task &lt; <see cref="TaskCount"/>. Parts write disjoint outputs.</summary>
    internal abstract void RunTask(in LayerCall call, int task);

    /// <summary>Bytes of the input in the form that tasks read; 0 where they read the caller's.</summary>
    internal virtual long StagedBytes(in LayerCall call) => 0;

    /// <summary>Writes the input in that form; tasks are then given a call with it as their input.</summary>
    internal virtual unsafe void Stage(in LayerCall call, byte* staged) => throw new UnreachableException();

    public abstract void Dispose();

    /// <exception cref="KernelException">The geometry is not one of this layer.</exception>
    internal void CheckGeometry(int batch, ConvolutionGeometry geometry)
    {
        if (batch < 0)
            throw new KernelException($"The batch is {batch}, expected 0 or more.");
        if (geometry.Taps != Shape.Taps || geometry.Groups != Shape.Groups)
            throw new KernelException($"The geometry has {geometry.Taps} taps in {geometry.Groups} groups; the weights are {Shape}, "
                + $"expected {Shape.Taps} taps in {Shape.Groups}.");
        if (geometry.StrideHeight < 1 || geometry.StrideWidth < 1 || geometry.DilationHeight < 1 || geometry.DilationWidth < 1
            || geometry.PadTop < 0 || geometry.PadLeft < 0 || geometry.PadBottom < 0 || geometry.PadRight < 0)
            throw new KernelException("A stride or dilation is below 1, or a pad is negative; expected strides and dilations of 1 or more "
                + "and pads of 0 or more.");
        Int128 inputElements = (Int128)batch * geometry.InputHeight * geometry.InputWidth * Shape.Channels * Shape.Groups;
        if (geometry.InputHeight < 0 || geometry.InputWidth < 0 || inputElements > int.MaxValue)
            throw new KernelException($"The input is {batch} × {geometry.InputHeight} × {geometry.InputWidth} pixels, {inputElements} "
                + $"elements; expected at most {int.MaxValue}. Use smaller batches.");
        bool hasRows = Shape.Taps == 1 && geometry.InputWidth == 0;
        long height = (long)geometry.InputHeight + geometry.PadTop + geometry.PadBottom,
            width = (long)geometry.InputWidth + geometry.PadLeft + geometry.PadRight;
        if (height > int.MaxValue || width > int.MaxValue)
            throw new KernelException($"The input of {geometry.InputHeight} × {geometry.InputWidth} pixels is {height} × {width} with its "
                + $"pads, expected at most {int.MaxValue} on a side.");
        if (!hasRows && (
            height < Reach(geometry.KernelHeight, geometry.DilationHeight) || width < Reach(geometry.KernelWidth, geometry.DilationWidth)))
            throw new KernelException($"The input of {geometry.InputHeight} × {geometry.InputWidth} pixels with its pads is smaller than "
                + $"the filter of {geometry.KernelHeight} × {geometry.KernelWidth}.");
        if ((Int128)batch * geometry.OutputHeight * geometry.OutputWidth * Shape.Outputs is var outputElements
            && outputElements > int.MaxValue)
            throw new KernelException($"The output has {outputElements} elements, expected at most {int.MaxValue}. Use smaller batches.");
    }

    /// <summary>Pixels from the first to the last that a filter reads, both included.</summary>
    private static long Reach(int kernel, int dilation) => (long)dilation * (kernel - 1) + 1;
}

/// <summary>A prepared layer over activations of type <typeparamref name="T"/>: float, or byte where it is quantized.</summary>
public abstract class PreparedLayer<T> : PreparedLayer
    where T : unmanaged
{
    private protected PreparedLayer(string kernelName, CellLayout layout) : base(kernelName, layout) { }

    /// <summary>Runs on the calling thread.</summary>
    /// <param name="input">[batch, height, width, channels·groups].</param>
    /// <param name="batch">Images.</param>
    /// <param name="geometry">Of one image.</param>
    /// <param name="output">[batch, outHeight, outWidth, outputs].</param>
    /// <param name="residual">Like the output, or empty; floating-point layers only.</param>
    /// <exception cref="KernelException">A buffer does not fit, or the output overlaps an operand.</exception>
    /// <exception cref="ObjectDisposedException">The layer's memory is freed.</exception>
    public unsafe void Run(
        ReadOnlySpan<T> input, int batch, ConvolutionGeometry geometry, Span<T> output, ReadOnlySpan<T> residual = default)
    {
        ArgumentNullException.ThrowIfNull(geometry);
        CheckGeometry(batch, geometry);
        int inputLength = batch * geometry.InputHeight * geometry.InputWidth * Shape.Channels * Shape.Groups;
        int outputLength = batch * geometry.OutputPixels * Shape.Outputs;
        if (input.Length != inputLength)
            throw new KernelException($"The input has {input.Length} elements, expected {inputLength}.");
        if (output.Length != outputLength)
            throw new KernelException($"The output has {output.Length} elements, expected {outputLength}.");
        if (!residual.IsEmpty && typeof(T) != typeof(float))
            throw new KernelException("A quantized layer takes no residual.");
        if (!residual.IsEmpty && residual.Length != outputLength)
            throw new KernelException($"The residual has {residual.Length} elements, expected {outputLength}, as many as the output.");
        if (output.Overlaps(input) || (output.Overlaps(residual, out int shift) && shift != 0))
            throw new KernelException("The output overlaps the input or, shifted, the residual; expected a buffer of its own.");
        if (outputLength == 0)
            return;
        fixed (T* inputPointer = input, residualPointer = residual, outputPointer = output)
        {
            using StagedInput staged = StagedInput.Of(this, new LayerCall(inputPointer, residualPointer, outputPointer, batch, geometry));
            LayerCall call = staged.Call;
            for (int task = 0, count = TaskCount(call); task < count; task++)
                RunTask(call, task);
        }

        GC.KeepAlive(this); // tasks hold addresses of this layer's memory, which its finalizers free
    }
}
