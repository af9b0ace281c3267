using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dovetail.Core.Workloads;

namespace Dovetail.Kernels.Selector;

/// <summary>
/// A convolution as a gather of row pointers: output pixel p at tap t reads the channels of one input pixel of an NHWC
/// image, or a row of padding. Rows that a kernel would read past the end of the input lie in a copy ("tail").
/// 1. A run of output pixels of one line reads, at a tap, a run of input pixels: an arithmetic progression of addresses.
/// 2. What lies outside the image, at the ends of that run or the whole of it, is padding.
/// </summary>
internal readonly unsafe ref struct RowPointers
{
    private readonly byte* _input;
    private readonly byte* _padding;
    private readonly byte* _tailShift;
    private readonly long _tailStart;
    private readonly nint _pixelBytes;
    private readonly int _outputWidth, _outputPixels, _inputHeight, _inputWidth, _kernelHeight, _kernelWidth;
    private readonly int _strideHeight, _strideWidth, _dilationHeight, _dilationWidth, _padTop, _padLeft;

    /// <param name="geometry">Of one image.</param>
    /// <param name="input">The first image.</param>
    /// <param name="pixelBytes">From one input pixel to the next.</param>
    /// <param name="padding">A row of padding.</param>
    /// <param name="tail">The copy, or null; holds the input's bytes from <paramref name="tailStart"/> on.</param>
    /// <param name="tailStart">Where the copy starts in the input.</param>
    public RowPointers(ConvolutionGeometry geometry, byte* input, nint pixelBytes, byte* padding, byte* tail, long tailStart)
    {
        _input = input;
        _padding = padding;
        _pixelBytes = pixelBytes;
        _tailShift = tail - tailStart;
        _tailStart = tail == null ? long.MaxValue : tailStart;
        (_outputWidth, _outputPixels) = (geometry.OutputWidth, geometry.OutputPixels);
        (_inputHeight, _inputWidth) = (geometry.InputHeight, geometry.InputWidth);
        (_kernelHeight, _kernelWidth) = (geometry.KernelHeight, geometry.KernelWidth);
        (_strideHeight, _strideWidth) = (geometry.StrideHeight, geometry.StrideWidth);
        (_dilationHeight, _dilationWidth) = (geometry.DilationHeight, geometry.DilationWidth);
        (_padTop, _padLeft) = (geometry.PadTop, geometry.PadLeft);
    }

    /// <summary>Pointers behind the last that <see cref="Fill"/> may write to.</summary>
    public const int Slack = 8;

    /// <summary>Fills [tap][pixel] for <paramref name="count"/> output pixels from <paramref name="first"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(int first, int count, byte** rows)
    {
        (int image, int inImage) = Math.DivRem(first, _outputPixels);
        (int oy, int ox) = Math.DivRem(inImage, _outputWidth);
        nint step = _strideWidth * _pixelBytes;
        for (int done = 0; done < count;)
        {
            int run = Math.Min(count - done, _outputWidth - ox);
            int top = oy * _strideHeight - _padTop, left = ox * _strideWidth - _padLeft;
            bool isAlone = run == count && Vector512.IsHardwareAccelerated && _tailStart == long.MaxValue;
            byte** target = rows + done;
            for (int ky = 0; ky < _kernelHeight; ky++)
            {
                int y = top + ky * _dilationHeight;
                nint line = ((nint)image * _inputHeight + y) * _inputWidth;
                for (int kx = 0; kx < _kernelWidth; kx++, target += count)
                {
                    int x = left + kx * _dilationWidth;
                    (int from, int to) = (uint)y < (uint)_inputHeight ? Inside(x, run) : (0, 0);
                    nint at = (line + x) * _pixelBytes;
                    if (isAlone)
                        Ramp(target, to, _input + at, step);
                    else
                        for (int i = from; i < to; i++)
                        {
                            nint address = at + i * step;
                            target[i] = (address < _tailStart ? _input : _tailShift) + address;
                        }

                    for (int i = 0; i < from; i++)
                        target[i] = _padding;
                    for (int i = to; i < run; i++)
                        target[i] = _padding;
                }
            }

            done += run;
            (ox, oy) = (0, oy + 1);
            if (oy * _outputWidth == _outputPixels)
                (oy, image) = (0, image + 1);
        }
    }

    /// <summary>The pixels of a run that lie inside the image's width, where the first reads input pixel <paramref name="x"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (int From, int To) Inside(int x, int run)
    {
        int left = -x, right = _inputWidth - x;
        if (_strideWidth > 1)
            (left, right) = (
                left > 0 ? (left + _strideWidth - 1) / _strideWidth : 0, right > 0 ? (right + _strideWidth - 1) / _strideWidth : 0);
        int from = Math.Clamp(left, 0, run);
        return (from, Math.Clamp(right, from, run));
    }

    /// <summary>Writes first + i·step, eight at a time: up to seven too many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ramp(byte** target, int count, byte* first, nint step)
    {
        Vector512<long> addresses = Vector512.Create((long)first) + Vector512<long>.Indices * step;
        for (int i = 0; i < count; i += Vector512<long>.Count)
        {
            addresses.Store((long*)target + i);
            addresses += Vector512.Create(Vector512<long>.Count * (long)step);
        }
    }
}
