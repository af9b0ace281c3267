using System.Runtime.CompilerServices;
using Dovetail.Core.Workloads;

namespace Dovetail.Runtime.Kernels.Simd;

/// <summary>
/// A convolution as a gather of row pointers: output pixel p at tap t reads the channels of one input pixel of an NHWC
/// image, or a row of padding. Rows that a kernel would read past the end of the input lie in a copy ("tail").
/// </summary>
internal readonly unsafe ref struct RowPointers
{
    private readonly ConvolutionGeometry _geometry;
    private readonly byte* _input;
    private readonly byte* _padding;
    private readonly byte* _tailShift;
    private readonly long _tailStart;
    private readonly nint _pixelBytes;

    /// <param name="pixelBytes">From one input pixel to the next.</param>
    /// <param name="tail">The copy, or null; holds the input's bytes from <paramref name="tailStart"/> on.</param>
    public RowPointers(ConvolutionGeometry geometry, byte* input, nint pixelBytes, byte* padding, byte* tail, long tailStart)
    {
        _geometry = geometry;
        _input = input;
        _padding = padding;
        _pixelBytes = pixelBytes;
        _tailShift = tail - tailStart;
        _tailStart = tail == null ? long.MaxValue : tailStart;
    }

    /// <summary>Fills [tap][pixel] for <paramref name="count"/> output pixels from <paramref name="first"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(int first, int count, byte** rows)
    {
        ConvolutionGeometry g = _geometry;
        int outputWidth = g.OutputWidth, outputPixels = g.OutputPixels;
        for (int done = 0; done < count;)
        {
            (int image, int inImage) = Math.DivRem(first + done, outputPixels);
            (int oy, int ox) = Math.DivRem(inImage, outputWidth);
            int run = Math.Min(count - done, outputWidth - ox);
            int top = oy * g.StrideHeight - g.PadTop, left = ox * g.StrideWidth - g.PadLeft;
            byte** target = rows + done;
            for (int ky = 0; ky < g.KernelHeight; ky++)
            {
                int y = top + ky * g.DilationHeight;
                bool inside = (uint)y < (uint)g.InputHeight;
                long line = ((long)image * g.InputHeight + y) * g.InputWidth;
                for (int kx = 0; kx < g.KernelWidth; kx++, target += count)
                    if (inside)
                        FillRun(target, run, line, left + kx * g.DilationWidth, g.StrideWidth, g.InputWidth);
                    else
                        for (int i = 0; i < run; i++)
                            target[i] = _padding;
            }

            done += run;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FillRun(byte** target, int run, long line, int x, int stride, int width)
    {
        int i = 0;
        for (; i < run && x < 0; i++, x += stride)
            target[i] = _padding;
        long at = (line + x) * _pixelBytes;
        nint step = stride * _pixelBytes;
        for (; i < run && x < width; i++, x += stride, at += step)
            target[i] = (at < _tailStart ? _input : _tailShift) + at;
        for (; i < run; i++)
            target[i] = _padding;
    }
}
