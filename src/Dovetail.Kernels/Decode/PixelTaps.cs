using Dovetail.Core.Workloads;

namespace Dovetail.Kernels.Decode;

/// <summary>Which input pixel each tap of an output pixel reads.</summary>
internal static class PixelTaps
{
    /// <summary>
    /// Fills the input pixel of every tap of output pixel <paramref name="pixel"/> (counted over all images),
    /// −1 where the tap falls into the padding.
    /// </summary>
    public static void Fill(ConvolutionGeometry geometry, int pixel, Span<int> taps)
    {
        (int image, int inImage) = Math.DivRem(pixel, geometry.OutputPixels);
        (int oy, int ox) = Math.DivRem(inImage, geometry.OutputWidth);
        for (int ky = 0, tap = 0; ky < geometry.KernelHeight; ky++)
            for (int kx = 0; kx < geometry.KernelWidth; kx++, tap++)
            {
                int y = oy * geometry.StrideHeight - geometry.PadTop + ky * geometry.DilationHeight;
                int x = ox * geometry.StrideWidth - geometry.PadLeft + kx * geometry.DilationWidth;
                bool inside = y >= 0 && y < geometry.InputHeight && x >= 0 && x < geometry.InputWidth;
                taps[tap] = inside ? (image * geometry.InputHeight + y) * geometry.InputWidth + x : -1;
            }
    }
}
