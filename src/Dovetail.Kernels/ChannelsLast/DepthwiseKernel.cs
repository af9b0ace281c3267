using System.Numerics;
using System.Runtime.CompilerServices;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.ChannelsLast;

/// <summary>A convolution of each channel with a filter of its own: y[c] = activation(Σ w[tap, c]·x[c] + bias[c]).</summary>
/// <param name="weights">[taps, channels].</param>
/// <param name="bias">[channels], or null.</param>
internal sealed unsafe class DepthwiseKernel(SlidingWindow window, float[] weights, float[]? bias, Activation activation)
    : WindowKernel(window, sizeof(float))
{
    private readonly float[] _bias = bias ?? new float[weights.Length / window.Taps];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Reduce(ReadOnlySpan<nint> pixels, ReadOnlySpan<int> taps, byte* output, int channels, int size)
    {
        int lanes = Vector<float>.Count, done = 0;
        var target = (float*)output;
        float lowest = activation.Lowest, highest = activation.Highest;
        fixed (float* w = weights, start = _bias)
        {
            for (; done <= channels - 4 * lanes; done += 4 * lanes)
            {
                Vector<float> a = Vector.Load(start + done), b = Vector.Load(start + done + lanes);
                Vector<float> c = Vector.Load(start + done + 2 * lanes), d = Vector.Load(start + done + 3 * lanes);
                for (int i = 0; i < pixels.Length; i++)
                {
                    float* x = (float*)pixels[i] + done, f = w + (nint)taps[i] * channels + done;
                    a = Vector.MultiplyAddEstimate(Vector.Load(x), Vector.Load(f), a);
                    b = Vector.MultiplyAddEstimate(Vector.Load(x + lanes), Vector.Load(f + lanes), b);
                    c = Vector.MultiplyAddEstimate(Vector.Load(x + 2 * lanes), Vector.Load(f + 2 * lanes), c);
                    d = Vector.MultiplyAddEstimate(Vector.Load(x + 3 * lanes), Vector.Load(f + 3 * lanes), d);
                }

                Vector.Store(Clamp(a, lowest, highest), target + done);
                Vector.Store(Clamp(b, lowest, highest), target + done + lanes);
                Vector.Store(Clamp(c, lowest, highest), target + done + 2 * lanes);
                Vector.Store(Clamp(d, lowest, highest), target + done + 3 * lanes);
            }

            for (; done <= channels - lanes; done += lanes)
            {
                Vector<float> a = Vector.Load(start + done);
                for (int i = 0; i < pixels.Length; i++)
                    a = Vector.MultiplyAddEstimate(
                        Vector.Load((float*)pixels[i] + done), Vector.Load(w + (nint)taps[i] * channels + done), a);
                Vector.Store(Clamp(a, lowest, highest), target + done);
            }

            for (; done < channels; done++)
            {
                float sum = start[done];
                for (int i = 0; i < pixels.Length; i++)
                    sum += ((float*)pixels[i])[done] * w[(nint)taps[i] * channels + done];
                target[done] = sum < lowest ? lowest : sum > highest ? highest : sum;
            }
        }

        if (activation.Function != ActivationKind.None)
            FunctionPass.Apply(activation.Function, target, channels);
    }

    // Comparisons with NaN are false, so it stays.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Clamp(Vector<float> sums, float lowest, float highest)
    {
        var low = Vector.Create(lowest);
        var high = Vector.Create(highest);
        sums = Vector.ConditionalSelect(Vector.LessThan(sums, low), low, sums);
        return Vector.ConditionalSelect(Vector.GreaterThan(sums, high), high, sums);
    }
}
