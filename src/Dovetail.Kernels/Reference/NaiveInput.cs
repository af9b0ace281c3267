using Dovetail.Core.Workloads;

namespace Dovetail.Kernels.Reference;

/// <summary>
/// Where the inputs of one output pixel lie in [batch, height, width, channels·groups]: the definition of a convolution, tap by tap.
/// </summary>
/// <param name="geometry">Of one image.</param>
/// <param name="channels">Of one convolution group.</param>
/// <param name="outputs">Of all groups.</param>
/// <param name="pixel">Counted over all images.</param>
internal readonly struct NaiveInput(ConvolutionGeometry geometry, int channels, int outputs, int pixel)
{
    /// <returns>Null in the padding.</returns>
    public long? IndexOf(int output, int tap, int channel)
    {
        int image = pixel / (geometry.OutputHeight * geometry.OutputWidth),
            inImage = pixel % (geometry.OutputHeight * geometry.OutputWidth);
        int y = inImage / geometry.OutputWidth * geometry.StrideHeight + tap / geometry.KernelWidth * geometry.DilationHeight
            - geometry.PadTop;
        int x = inImage % geometry.OutputWidth * geometry.StrideWidth + tap % geometry.KernelWidth * geometry.DilationWidth
            - geometry.PadLeft;
        if (y < 0 || y >= geometry.InputHeight || x < 0 || x >= geometry.InputWidth)
            return null;
        int group = output / (outputs / geometry.Groups);
        return (((long)image * geometry.InputHeight + y) * geometry.InputWidth + x) * channels * geometry.Groups + group * channels
            + channel;
    }
}
