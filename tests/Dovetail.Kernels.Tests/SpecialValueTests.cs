using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>
/// NaN, infinities and denormals (docs/kernels.md). A dense product multiplies zeros as well, and 0·NaN and 0·∞ are NaN; a
/// packed one holds the kept weights, and zeros where slots are filled up. So an output is what the kept weights alone give,
/// or NaN where the dense product would be NaN; nothing else, and never a NaN from an input outside its own window.
/// </summary>
public sealed class SpecialValueTests
{
    private static readonly string[] Patterns = ["1:4", "1:8", "3:7", "1:16", "2:16", "2:32", "1:16x2", "1:8@strided", "1:4/out"];

    [Fact]
    public void Outputs_are_those_of_the_kept_weights_or_of_the_dense_product()
    {
        var runs = new KernelRuns(FloatKernels.Supported.Select(kernel => kernel.Name));
        foreach (string pattern in Patterns)
            foreach (int channels in (int[])[5, 16, 33, 48, 100])
                foreach (LayerCase layer in Cases(pattern, channels))
                    CheckSpecials(layer, runs);
        runs.AssertAll(20);
    }

    [Theory]
    [InlineData(1e-40f, 1f)] // denormal inputs
    [InlineData(1f, 1e-40f)] // denormal weights
    [InlineData(1e-20f, 1e-20f)] // denormal products
    public void Denormals_are_not_flushed(float inputScale, float weightScale)
    {
        var layer = new LayerCase("1:8", 35, 72, PreparedLayer.RowsOf(13), Bias: false, Residual: false, Kind: ActivationKind.None);
        PackedTensor<float> plain = RandomLayer.Float32(layer.Layout, new Random(1));
        var weights = new PackedTensor<float>(layer.Layout, Array.ConvertAll(plain.Values, w => w * weightScale), plain.Owners);
        float[] input = Array.ConvertAll(RandomLayer.Floats(layer.InputLength, new Random(2)), x => x * inputScale);
        double[] expected = RandomLayer.DenseConvolution(
            Array.ConvertAll(Packer.Unpack(weights), w => (double)w), layer.Layout.Shape, Array.ConvertAll(input, x => (double)x), 1,
            layer.Geometry);
        Assert.All(expected, y => Assert.True(Math.Abs(y) < 2e-38)); // near or below the least normal number
        var runs = new KernelRuns(Exact(layer.Layout).Select(kernel => kernel.Name));
        foreach (var kernel in Exact(layer.Layout))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights));
            var output = new float[layer.OutputLength];
            prepared.Run(input, 1, layer.Geometry, output);
            for (int i = 0; i < output.Length; i++) // one step of a denormal number for each of 9 products
                Assert.True(Math.Abs(output[i] - expected[i]) <= 9 * float.Epsilon, $"{kernel.Name}: output {i} is {output[i]}, expected "
                    + $"{expected[i]}.");
            runs.Count(kernel.Name);
        }

        runs.AssertAll(1);
    }

    [Fact]
    public void Relu_and_clip_keep_nan()
    {
        foreach (ActivationKind kind in (ActivationKind[])[ActivationKind.Relu, ActivationKind.Clip])
        {
            var layer = new LayerCase("1:8", 20, 32, PreparedLayer.RowsOf(3), Residual: false, Kind: kind);
            float[] input = RandomLayer.Floats(layer.InputLength, new Random(3));
            Array.Fill(input, float.NaN, 32, 32); // the second row
            foreach (var kernel in FloatKernels.Supported.Where(kernel => kernel.Accepts(layer.Layout)))
            {
                using PreparedLayer<float> prepared = kernel.Prepare(
                    new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(4)), null, layer.Activation));
                var output = new float[layer.OutputLength];
                prepared.Run(input, 1, layer.Geometry, output);
                for (int i = 0; i < output.Length; i++)
                    Assert.True(float.IsNaN(output[i]) == (i / 20 == 1), $"{kernel.Name}, {kind}: output {i} is {output[i]}.");
            }
        }
    }

    private static IEnumerable<Kernel<Float32Specification, float>> Exact(CellLayout layout) =>
        FloatKernels.Supported.Where(kernel => kernel.Accepts(layout) && !FloatKernels.RoundsOperands(kernel.Name));

    private static IEnumerable<LayerCase> Cases(string pattern, int channels) =>
    [
        new(pattern, 37, channels, PreparedLayer.RowsOf(1), Kind: ActivationKind.None, Seed: 1),
        new(pattern, 37, channels, PreparedLayer.RowsOf(15), Kind: ActivationKind.None, Seed: 2),
        new(pattern, 2 * 19, channels, new ConvolutionGeometry(5, 6, 3, 2, PadTop: 1, PadLeft: 1, Groups: 2), Batch: 2,
            Kind: ActivationKind.None, Seed: 3),
    ];

    private static void CheckSpecials(LayerCase layer, KernelRuns runs)
    {
        var random = new Random(layer.Seed);
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, random);
        float[] bias = RandomLayer.Floats(layer.Outputs, random), residual = RandomLayer.Floats(layer.OutputLength, random);
        float[] input = RandomLayer.Floats(layer.InputLength, random);
        foreach (float special in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
            for (int i = 0; i < 1 + input.Length / 60; i++)
                input[random.Next(input.Length)] = special;
        double[] expected = RandomLayer.DenseConvolution(
            Array.ConvertAll(Packer.Unpack(weights), w => (double)w), layer.Layout.Shape, Array.ConvertAll(input, x => (double)x),
            layer.Batch, layer.Geometry);
        double[] ones = new double[layer.Layout.Shape.Count];
        Array.Fill(ones, 1);
        double[] specialsInReach = RandomLayer.DenseConvolution(
            ones, layer.Layout.Shape, Array.ConvertAll(input, x => float.IsFinite(x) ? 0.0 : 1.0), layer.Batch, layer.Geometry);
        foreach (var kernel in FloatKernels.Supported.Where(kernel => kernel.Accepts(layer.Layout)))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights, bias, layer.Activation));
            var output = new float[layer.OutputLength];
            prepared.Run(input, layer.Batch, layer.Geometry, output, residual);
            for (int i = 0; i < output.Length; i++)
            {
                bool asKept = double.IsFinite(expected[i]) ? float.IsFinite(output[i]) : ((double)output[i]).Equals(expected[i]);
                bool asDense = specialsInReach[i] > 0 && float.IsNaN(output[i]);
                if (!asKept && !asDense)
                    Assert.Fail($"{kernel.Name}, {layer}: output {i} is {output[i]}, expected "
                        + $"{expected[i]}{(specialsInReach[i] > 0 ? " or NaN" : "")}.");
            }

            runs.Count(kernel.Name);
        }
    }
}
