namespace Dovetail.Core.Workloads;

/// <summary>Sizes of a two-dimensional convolution over one image: pixels, not bytes.</summary>
public sealed record ConvolutionGeometry(
    int InputHeight, int InputWidth,
    int KernelHeight, int KernelWidth,
    int StrideHeight = 1, int StrideWidth = 1,
    int PadTop = 0, int PadLeft = 0, int PadBottom = 0, int PadRight = 0,
    int DilationHeight = 1, int DilationWidth = 1,
    int Groups = 1)
{
    public int Taps => KernelHeight * KernelWidth;

    public int OutputHeight => OutputLength(InputHeight, KernelHeight, StrideHeight, PadTop + PadBottom, DilationHeight);

    public int OutputWidth => OutputLength(InputWidth, KernelWidth, StrideWidth, PadLeft + PadRight, DilationWidth);

    public int OutputPixels => OutputHeight * OutputWidth;

    private static int OutputLength(int input, int kernel, int stride, int pad, int dilation) =>
        (input + pad - dilation * (kernel - 1) - 1) / stride + 1;
}
