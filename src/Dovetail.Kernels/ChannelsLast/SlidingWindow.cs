namespace Dovetail.Kernels.ChannelsLast;

/// <summary>A window that slides over images, channel by channel; pads as in ONNX.</summary>
/// <param name="Ceil">Round the number of steps up: the last window may reach behind the end padding, but starts before it.</param>
internal sealed record SlidingWindow(
    int KernelHeight, int KernelWidth, int StrideHeight, int StrideWidth, int PadTop, int PadLeft, int PadBottom, int PadRight,
    int DilationHeight, int DilationWidth, bool Ceil)
{
    public int Taps => KernelHeight * KernelWidth;

    /// <summary>0 or less where the window does not fit.</summary>
    public long OutputHeight(long height) => Length(height, KernelHeight, StrideHeight, PadTop, PadBottom, DilationHeight);

    public long OutputWidth(long width) => Length(width, KernelWidth, StrideWidth, PadLeft, PadRight, DilationWidth);

    private long Length(long length, int kernel, int stride, int before, int after, int dilation)
    {
        long span = length + before + after - (long)dilation * (kernel - 1) - 1;
        if (span < 0)
            return 0;
        long steps = Ceil ? (span + stride - 1) / stride : span / stride;
        return Ceil && steps * stride >= length + before ? steps : steps + 1;
    }
}
