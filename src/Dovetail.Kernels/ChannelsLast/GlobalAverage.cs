using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dovetail.Kernels.ChannelsLast;

/// <summary>The mean over all pixels of an image, channel by channel: sums of rows, then their sum, so that errors stay small.</summary>
internal static unsafe class GlobalAverage
{
    /// <param name="input">[height, width, channels].</param>
    /// <param name="output">[channels].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* input, float* output, int height, int width, int channels)
    {
        int lanes = Vector<float>.Count, done = 0;
        float pixels = (float)height * width;
        for (; done <= channels - 2 * lanes; done += 2 * lanes)
        {
            Vector<float> a = Vector<float>.Zero, b = a;
            float* x = input + done;
            for (int row = 0; row < height; row++)
            {
                Vector<float> rowA = Vector<float>.Zero, rowB = rowA;
                for (int column = 0; column < width; column++, x += channels)
                {
                    rowA += Vector.Load(x);
                    rowB += Vector.Load(x + lanes);
                }

                a += rowA;
                b += rowB;
            }

            Vector.Store(a / Vector.Create(pixels), output + done);
            Vector.Store(b / Vector.Create(pixels), output + done + lanes);
        }

        for (; done < channels; done++)
        {
            float sum = 0;
            float* x = input + done;
            for (int row = 0; row < height; row++)
            {
                float rowSum = 0;
                for (int column = 0; column < width; column++, x += channels)
                    rowSum += *x;
                sum += rowSum;
            }

            output[done] = sum / pixels;
        }
    }
}
