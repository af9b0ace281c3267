namespace Dovetail.Kernels.ChannelsLast;

/// <summary>
/// What slides a window over NHWC images channel by channel: pooling and depthwise convolution.
/// 1. For each output pixel the pointers to the input pixels under the window are gathered once, padding left out.
/// 2. Then vectors of channels are reduced over these pointers, four at a time to hide latency.
/// </summary>
internal abstract unsafe class WindowKernel(SlidingWindow window, int elementBytes)
{
    public SlidingWindow Window => window;

    public int ElementBytes => elementBytes;

    /// <summary>Computes one row of output pixels of one image, 0 ≤ row &lt; <see cref="WindowCall.Rows"/>. Rows are independent.</summary>
    public void RunRow(in WindowCall call, int row)
    {
        (int image, int oy) = Math.DivRem(row, call.OutputHeight);
        int top = oy * window.StrideHeight - window.PadTop;
        nint pixelBytes = (nint)call.Channels * elementBytes;
        byte* input = (byte*)call.Input + (nint)image * call.Height * call.Width * pixelBytes;
        byte* output = (byte*)call.Output + (nint)row * call.OutputWidth * pixelBytes;
        nint[] pointers = new nint[window.Taps];
        int[] indices = new int[window.Taps];
        for (int ox = 0; ox < call.OutputWidth; ox++, output += pixelBytes)
        {
            int left = ox * window.StrideWidth - window.PadLeft, count = 0;
            for (int ky = 0; ky < window.KernelHeight; ky++)
            {
                int y = top + ky * window.DilationHeight;
                if ((uint)y >= (uint)call.Height)
                    continue;
                for (int kx = 0; kx < window.KernelWidth; kx++)
                {
                    int x = left + kx * window.DilationWidth;
                    if ((uint)x >= (uint)call.Width)
                        continue;
                    pointers[count] = (nint)(input + ((nint)y * call.Width + x) * pixelBytes);
                    indices[count++] = ky * window.KernelWidth + kx;
                }
            }

            Reduce(pointers.AsSpan(0, count), indices.AsSpan(0, count), output, call.Channels, WindowSize(call, top, left));
        }
    }

    /// <summary>Reduces the pixels under one window, each [channels], to one.</summary>
    /// <param name="taps">Their places in the window.</param>
    /// <param name="size">Of the window without what reaches behind the padding.</param>
    protected abstract void Reduce(ReadOnlySpan<nint> pixels, ReadOnlySpan<int> taps, byte* output, int channels, int size);

    private int WindowSize(in WindowCall call, int top, int left)
    {
        return Within(top, window.KernelHeight, window.DilationHeight, call.Height + window.PadBottom)
            * Within(left, window.KernelWidth, window.DilationWidth, call.Width + window.PadRight);

        static int Within(int start, int kernel, int dilation, int end) => Math.Min(kernel, (end - start + dilation - 1) / dilation);
    }
}
