using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.ChannelsLast;

/// <summary>The greatest value under the window; NaN where there is one. A window over nothing but padding gives the least
/// number.</summary>
internal sealed unsafe class MaxPoolKernel<T>(SlidingWindow window) : WindowKernel(window, sizeof(T))
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Reduce(ReadOnlySpan<nint> pixels, ReadOnlySpan<int> taps, byte* output, int channels, int size)
    {
        int lanes = Vector<T>.Count, done = 0;
        var target = (T*)output;
        for (; done <= channels - 4 * lanes; done += 4 * lanes)
        {
            Vector<T> a = Vector.Create(T.MinValue), b = a, c = a, d = a;
            foreach (nint pixel in pixels)
            {
                T* x = (T*)pixel + done;
                a = Vector.Max(a, Vector.Load(x));
                b = Vector.Max(b, Vector.Load(x + lanes));
                c = Vector.Max(c, Vector.Load(x + 2 * lanes));
                d = Vector.Max(d, Vector.Load(x + 3 * lanes));
            }

            Vector.Store(a, target + done);
            Vector.Store(b, target + done + lanes);
            Vector.Store(c, target + done + 2 * lanes);
            Vector.Store(d, target + done + 3 * lanes);
        }

        for (; done <= channels - lanes; done += lanes)
        {
            Vector<T> a = Vector.Create(T.MinValue);
            foreach (nint pixel in pixels)
                a = Vector.Max(a, Vector.Load((T*)pixel + done));
            Vector.Store(a, target + done);
        }

        for (; done < channels; done++)
        {
            T greatest = T.MinValue;
            foreach (nint pixel in pixels)
                greatest = T.Max(greatest, ((T*)pixel)[done]);
            target[done] = greatest;
        }
    }
}
