using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.ChannelsLast;

/// <summary>The mean of the pixels under the window, or their sum over the window's size where padding counts.</summary>
internal sealed unsafe class AveragePoolKernel(SlidingWindow window, bool countsPadding) : WindowKernel(window, sizeof(float))
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Reduce(ReadOnlySpan<nint> pixels, ReadOnlySpan<int> taps, byte* output, int channels, int size)
    {
        int lanes = Vector<float>.Count, done = 0;
        var target = (float*)output;
        float divisor = countsPadding ? size : pixels.Length;
        var divisors = Vector.Create(divisor);
        for (; done <= channels - 4 * lanes; done += 4 * lanes)
        {
            Vector<float> a = Vector<float>.Zero, b = a, c = a, d = a;
            foreach (nint pixel in pixels)
            {
                float* x = (float*)pixel + done;
                a += Vector.Load(x);
                b += Vector.Load(x + lanes);
                c += Vector.Load(x + 2 * lanes);
                d += Vector.Load(x + 3 * lanes);
            }

            Vector.Store(a / divisors, target + done);
            Vector.Store(b / divisors, target + done + lanes);
            Vector.Store(c / divisors, target + done + 2 * lanes);
            Vector.Store(d / divisors, target + done + 3 * lanes);
        }

        for (; done <= channels - lanes; done += lanes)
        {
            Vector<float> a = Vector<float>.Zero;
            foreach (nint pixel in pixels)
                a += Vector.Load((float*)pixel + done);
            Vector.Store(a / divisors, target + done);
        }

        for (; done < channels; done++)
        {
            float sum = 0;
            foreach (nint pixel in pixels)
                sum += ((float*)pixel)[done];
            target[done] = sum / divisor;
        }
    }
}
