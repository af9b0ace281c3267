using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels;

namespace Dovetail.Tests.Kernels;

/// <summary>Layers with random weights that satisfy a pattern, and a dense convolution that knows nothing of packing.</summary>
internal static class RandomLayer
{
    public static PackedTensor<float> Float32(CellLayout layout, Random random)
    {
        float[] weights = Floats(layout.Shape.Count, random);
        bool[] mask = Projection.ByMagnitude(weights, layout);
        for (int i = 0; i < weights.Length; i++)
            weights[i] = mask[i] ? weights[i] : 0;
        return Packer.Pack<float>(weights, layout, mask);
    }

    public static PackedTensor<sbyte> Int8(CellLayout layout, Random random)
    {
        float[] scores = Floats(layout.Shape.Count, random);
        bool[] mask = Projection.ByMagnitude(scores, layout);
        var weights = new sbyte[scores.Length];
        for (int i = 0; i < weights.Length; i++)
            weights[i] = mask[i] ? (sbyte)random.Next(-127, 128) : (sbyte)0;
        return Packer.Pack<sbyte>(weights, layout, mask);
    }

    public static float[] Floats(int count, Random random)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)(random.NextDouble() * 2 - 1);
        return values;
    }

    /// <summary>The activation from its definition.</summary>
    public static double Apply(Activation activation, double x) => activation.Kind switch
    {
        ActivationKind.Silu => x / (1 + Math.Exp(-x)),
        ActivationKind.Gelu => 0.5 * x * (1 + NumericalErf(x / Math.Sqrt(2))),
        ActivationKind.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * Math.Pow(x, 3)))),
        _ => double.IsNaN(x) ? x : Math.Min(Math.Max(x, activation.Lowest), activation.Highest),
    };

    /// <summary>2/√π·∫ e^−t² dt by Simpson's rule in 200 steps: within 1e-10 for |x| ≤ 8.</summary>
    public static double NumericalErf(double x)
    {
        if (Math.Abs(x) > 8)
            return Math.Sign(x);
        const int steps = 200;
        double h = x / steps, sum = 0;
        for (int i = 0; i <= steps; i++)
            sum += Math.Exp(-(i * h) * (i * h)) * (i is 0 or steps ? 1 : i % 2 == 0 ? 2 : 4);
        return 2 / Math.Sqrt(Math.PI) * sum * h / 3;
    }

    public static byte[] Bytes(int count, Random random)
    {
        var values = new byte[count];
        random.NextBytes(values);
        return values;
    }

    /// <summary>
    /// Σ w·x over the weights that are not zero (matrix order), NHWC, for one batch: [pixels, outputs] in double.
    /// Written from the definition of a convolution; shares no code with the product.
    /// </summary>
    public static double[] DenseConvolution(
        double[] weights, WeightShape shape, double[] input, int batch, ConvolutionGeometry g, double padding = 0)
    {
        var result = new double[batch * g.OutputHeight * g.OutputWidth * shape.Outputs];
        int at = 0, inputChannels = shape.Channels * shape.Groups;
        for (int n = 0; n < batch; n++)
            for (int oy = 0; oy < g.OutputHeight; oy++)
                for (int ox = 0; ox < g.OutputWidth; ox++)
                    for (int m = 0; m < shape.Outputs; m++, at++)
                        for (int ky = 0; ky < g.KernelHeight; ky++)
                            for (int kx = 0; kx < g.KernelWidth; kx++)
                            {
                                int y = oy * g.StrideHeight + ky * g.DilationHeight - g.PadTop;
                                int x = ox * g.StrideWidth + kx * g.DilationWidth - g.PadLeft;
                                bool inside = y >= 0 && x >= 0 && y < g.InputHeight && x < g.InputWidth;
                                int pixel = ((n * g.InputHeight + y) * g.InputWidth + x) * inputChannels + m / (
                                    shape.Outputs / shape.Groups) * shape.Channels;
                                int row = (m * shape.Taps + ky * g.KernelWidth + kx) * shape.Channels;
                                for (int c = 0; c < shape.Channels; c++)
                                    if (weights[row + c] != 0)
                                        result[at] += weights[row + c] * (inside ? input[pixel + c] : padding);
                            }

        return result;
    }
}
