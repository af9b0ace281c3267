using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>
/// Layers over bfloat16 operands against the definition of a convolution in double on operands rounded one by one.
/// Tolerance: 4·(terms + 4) roundings of fp32 on the sum of magnitudes; rounding the operands is no error here.
/// </summary>
public sealed class BFloat16KernelTests
{
    private static readonly string[] Patterns = ["1:1", "2:4", "1:16", "2:32", "3:5", "4:64", "1:16x2", "2:16@strided", "1:4/out"];

    [Fact]
    public void Every_kernel_multiplies_rounded_operands()
    {
        var runs = new KernelRuns(Supported().Select(kernel => kernel.Name));
        foreach (string pattern in Patterns)
        {
            for (int seed = 0; seed < 12; seed++)
                Check(LayerCase.Random(seed * 1000 + 11, pattern), runs);
            foreach (int n in (int[])[1, 15, 16, 17, 31, 32, 33, 64, 100])
            {
                Check(new LayerCase(pattern, n, 70, PreparedLayer.RowsOf(3), Seed: n), runs);
                Check(new LayerCase(pattern, 19, n, PreparedLayer.RowsOf(14), Seed: n), runs);
                Check(new LayerCase(pattern, 35, n, new ConvolutionGeometry(5, 4, 1, 1, 2, 1, 1, 1, 1, 1), Seed: n), runs);
                Check(new LayerCase(
                    pattern, 35, n, new ConvolutionGeometry(6, 5, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1), Seed: n), runs);
            }
        }

        runs.AssertAll(100);
    }

    [Fact]
    public void The_registry_prefers_the_cpus_own_products()
    {
        var layer = new LayerCase("2:32", 32, 64, PreparedLayer.RowsOf(1));
        using PreparedLayer<float> prepared = KernelRegistry.Prepare(
            new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(1)), Operands: FloatOperands.BFloat16));
        Assert.Equal(Supported().First(kernel => kernel.Accepts(layer.Layout)).Name, prepared.KernelName);
    }

    [Theory]
    [InlineData(1.00390625f, 1f)] // a tie goes to the even neighbour
    [InlineData(1.01171875f, 1.015625f)]
    [InlineData(3.4e38f, float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity, float.NegativeInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Inputs_are_rounded_to_nearest_even(float input, float expected)
    {
        var layout = new CellLayout(ComplementaryPattern.Parse("1:1"), WeightShape.Matrix(1, 40));
        var values = new float[40];
        values[37] = 1;
        var weights = new PackedTensor<float>(layout, values, new byte[40]);
        var x = new float[2 * 40];
        x[40 + 37] = input;
        foreach (var kernel in Supported())
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights, Operands: FloatOperands.BFloat16));
            var y = new float[2];
            prepared.Run(x, 1, PreparedLayer.RowsOf(2), y);
            Assert.Equal([0, expected], y);
        }
    }

    private static IEnumerable<Kernel<Float32Specification, float>> Supported() =>
        KernelRegistry.BFloat16Operands.Where(kernel => kernel.IsSupported);

    private static void Check(LayerCase layer, KernelRuns runs)
    {
        CellLayout layout = layer.Layout;
        var random = new Random(layer.Seed);
        PackedTensor<float> weights = RandomLayer.Float32(layout, random);
        float[]? bias = layer.Bias ? RandomLayer.Floats(layer.Outputs, random) : null;
        float[] input = RandomLayer.Floats(layer.InputLength, random);
        float[] residual = layer.Residual ? RandomLayer.Floats(layer.OutputLength, random) : [];
        double[] dense = Array.ConvertAll(Packer.Unpack(weights), Round), inputs = Array.ConvertAll(input, Round);
        double[] expected = RandomLayer.DenseConvolution(dense, layout.Shape, inputs, layer.Batch, layer.Geometry);
        double[] magnitudes = RandomLayer.DenseConvolution(
            Array.ConvertAll(dense, Math.Abs), layout.Shape, Array.ConvertAll(inputs, Math.Abs), layer.Batch, layer.Geometry);
        foreach (var kernel in Supported().Where(kernel => kernel.Accepts(layout)))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(
                new Float32Specification(weights, bias, layer.Activation, FloatOperands.BFloat16));
            using var x = GuardedMemory<float>.Copy(input);
            using var y = new GuardedMemory<float>(layer.OutputLength);
            prepared.Run(x.Span, layer.Batch, layer.Geometry, y.Span, residual);
            for (int i = 0; i < expected.Length; i++)
            {
                double sum = expected[i] + (bias is null ? 0 : bias[i % layer.Outputs]) + (layer.Residual ? residual[i] : 0);
                double tolerance = 4 * (layout.Shape.Inputs + 4) * 1.2e-7 * (magnitudes[i] + 2);
                if (!(Math.Abs(y.Span[i] - RandomLayer.Apply(layer.Activation, sum)) <= tolerance))
                    Assert.Fail($"{kernel.Name}, {layer}: output {i} is {y.Span[i]}, expected {RandomLayer.Apply(layer.Activation, sum)} ± "
                        + $"{tolerance}.");
            }

            runs.Count(kernel.Name);
        }
    }

    private static double Round(float value) => BFloat16.FromSingle(value);
}
