using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Kernels.Reference;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>Every int8 registry entry against the definition of a convolution: integers equal exactly, with inaccessible pages around the
/// buffers.</summary>
public sealed class QuantizedKernelTests
{
    private static readonly string[] Patterns =
    [
        "1:1", "1:2", "2:4", "1:8", "3:7", "1:16", "2:32", "4:64", "1:64", "5:48", "8:64", "1:200",
        "1:16x2", "4:64x5", "1:8@strided", "4:64@strided", "1:4/out", "2:8x2/out@strided",
    ];

    private readonly KernelRuns _runs = new(KernelRegistry.Quantized.Where(kernel => kernel.IsSupported).Select(kernel => kernel.Name));

    /// <summary>Lengths 0 to 256 of pixels, 1 to 256 of outputs and channels (a weight has no dimension of 0).</summary>
    [Theory]
    [InlineData("4:64")]
    [InlineData("1:16")]
    public void Every_tail_of_outputs_channels_and_pixels(string pattern)
    {
        for (int n = 0; n <= 256; n++)
        {
            Check(new LayerCase(pattern, 17, 66, PreparedLayer.RowsOf(n), Seed: n));
            if (n == 0)
                continue;
            Check(new LayerCase(pattern, n, 70, PreparedLayer.RowsOf(2), Seed: n));
            Check(new LayerCase(pattern, 19, n, PreparedLayer.RowsOf(3), Seed: n));
        }

        _runs.AssertAll(3 * 256 + 1);
    }

    [Fact]
    public void Random_convolutions()
    {
        foreach (string pattern in Patterns)
            for (int seed = 0; seed < 12; seed++)
                Check(LayerCase.Random(seed * 1000 + 3, pattern));
        _runs.AssertAll(12);
    }

    [Fact]
    public void Deep_inputs_that_are_taken_in_chunks()
    {
        foreach (string pattern in (string[])["4:64", "1:16", "3:40"])
        {
            Check(new LayerCase(pattern, 150, 4127, PreparedLayer.RowsOf(25), Seed: 1));
            Check(new LayerCase(pattern, 160, 4096, PreparedLayer.RowsOf(12), Seed: 2));
            Check(new LayerCase(
                pattern, 139, 850, new ConvolutionGeometry(5, 6, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1), Seed: 3));
        }

        _runs.AssertAll(9);
    }

    [Fact]
    public void Prime_shapes()
    {
        foreach (string pattern in (string[])["3:7", "1:16", "4:64"])
            foreach (LayerCase layer in LayerCase.Primes(pattern))
                Check(layer);
        _runs.AssertAll(18);
    }

    /// <summary>
    /// Operands at the ends of their ranges, where a 16-bit sum of two products would saturate. The bias takes the exact
    /// sum to 100 and the factor is 1, so that the output shows every unit of the accumulator.
    /// </summary>
    [Theory]
    [InlineData(192)]
    [InlineData(512)] // 512·255·128 is the most that a block sums in floats
    [InlineData(1024)]
    public void Extreme_operands_are_exact_to_the_unit(int inputs)
    {
        (sbyte Even, sbyte Odd)[] weightPairs = [(-128, -128), (127, 127), (-128, 127), (127, -128), (-1, 127)];
        foreach (string pattern in (string[])["4:64", "8:8", "2:16", "64:64"])
            foreach ((sbyte even, sbyte odd) in weightPairs)
                foreach ((byte first, byte second, byte zeroPoint) in ((byte, byte, byte)[])[
                    (255, 255, 0), (255, 255, 255), (0, 255, 128), (255, 0, 1), (0, 0, 255)])
                {
                    var layout = new CellLayout(ComplementaryPattern.Parse(pattern), WeightShape.Matrix(33, inputs));
                    var values = new sbyte[layout.ValueCount];
                    for (int i = 0; i < values.Length; i++)
                        values[i] = i % 2 == 0 ? even : odd;
                    var weights = new PackedTensor<sbyte>(layout, values, RandomLayer.Int8(layout, new Random(1)).Owners);
                    var input = new byte[2 * inputs];
                    for (int i = 0; i < input.Length; i++)
                        input[i] = i % inputs % 3 == 0 ? second : first;
                    sbyte[] dense = Packer.Unpack(weights);
                    var bias = new int[33];
                    for (int m = 0; m < 33; m++)
                        bias[m] = 100 - Enumerable.Range(0, inputs).Sum(k => (input[k] - zeroPoint) * dense[m * inputs + k]);
                    var ones = new float[33];
                    Array.Fill(ones, 1f);
                    foreach (var kernel in KernelRegistry.Quantized.Where(kernel => kernel.IsSupported && kernel.Accepts(layout)))
                    {
                        using PreparedLayer<byte> prepared = kernel.Prepare(new QuantizedSpecification(weights, bias, zeroPoint, ones, 0));
                        var output = new byte[2 * 33];
                        prepared.Run(input, 1, PreparedLayer.RowsOf(2), output);
                        for (int i = 0; i < output.Length; i++)
                            Assert.True(output[i] == 100, $"{kernel.Name}, {pattern}, weights {even} {odd}, inputs {first} {second}, zero "
                                + $"point {zeroPoint}: output {i} is {output[i]}, expected 100.");
                        _runs.Count(kernel.Name);
                    }
                }

        _runs.AssertAll(weightPairs.Length * 4 * 5);
    }

    /// <summary>
    /// Factors around the bound up to which saturation alone is a clamp (sums scaled to 2³⁰), and far beyond it, where scaled
    /// sums leave int32 and reach infinity; bounds of a byte, so that nothing else asks for a clamp.
    /// </summary>
    [Fact]
    public void Huge_factors_saturate()
    {
        foreach (int outputs in (int[])[64, 33, 16]) // pairs of vectors, a part of one, one alone
            foreach (float factor in (float[])[2000, 4000, 8000, 16_000, 1e6f, 1e30f, 3e38f])
            {
                var layer = new LayerCase("4:64", outputs, 128, PreparedLayer.RowsOf(13), Seed: outputs);
                PackedTensor<sbyte> weights = RandomLayer.Int8(layer.Layout, new Random(layer.Seed));
                byte[] input = RandomLayer.Bytes(layer.InputLength, new Random(layer.Seed + 1));
                float[] factors = [.. Enumerable.Repeat(factor, outputs)];
                byte[] expected = QuantizedReference.Requantize(
                    QuantizedReference.Accumulate(weights, input, 1, layer.Geometry, 100), factors, 7);
                foreach (var kernel in KernelRegistry.Quantized.Where(kernel => kernel.IsSupported && kernel.Accepts(layer.Layout)))
                {
                    using PreparedLayer<byte> prepared = kernel.Prepare(new QuantizedSpecification(weights, null, 100, factors, 7));
                    var output = new byte[layer.OutputLength];
                    prepared.Run(input, 1, layer.Geometry, output);
                    int same = output.AsSpan().CommonPrefixLength(expected);
                    if (same < output.Length)
                        Assert.Fail($"{kernel.Name}, {outputs} outputs, factor {factor}: output {same} is {output[same]}, expected "
                            + $"{expected[same]}.");
                    _runs.Count(kernel.Name);
                }
            }

        _runs.AssertAll(3 * 7);
    }

    [Theory]
    [InlineData(1, 0.5f, 0, 0)]
    [InlineData(3, 0.5f, 0, 2)]
    [InlineData(5, 0.5f, 10, 12)]
    [InlineData(-1, 0.5f, 10, 10)]
    [InlineData(-3, 0.5f, 10, 8)]
    [InlineData(int.MaxValue, 1e30f, 7, 255)]
    [InlineData(int.MinValue, 1e30f, 7, 0)]
    [InlineData(0, 0f, 7, 7)]
    public void Requantize_rounds_half_to_even_and_saturates(int accumulator, float factor, byte zeroPoint, byte expected)
    {
        Assert.Equal(expected, QuantizedReference.Requantize(accumulator, factor, zeroPoint));
        Assert.Equal(Math.Max(expected, zeroPoint), QuantizedReference.Requantize(accumulator, factor, zeroPoint, lowest: zeroPoint));
    }

    private void Check(LayerCase layer)
    {
        CellLayout layout = layer.Layout;
        var random = new Random(layer.Seed);
        PackedTensor<sbyte> weights = RandomLayer.Int8(layout, random);
        int[]? bias = layer.Bias ? [.. RandomLayer.Floats(layer.Outputs, random).Select(b => (int)(b * 5000))] : null;
        var zeroPoint = (byte)random.Next(256);
        var outputZeroPoint = (byte)random.Next(256);
        float[] factors = Array.ConvertAll(RandomLayer.Floats(layer.Outputs, random), f => MathF.Abs(f) * 0.01f);
        byte[] input = RandomLayer.Bytes(layer.InputLength, random);
        (byte lowest, byte highest) = layer.Kind switch
        {
            ActivationKind.None => ((byte)0, (byte)255),
            ActivationKind.Relu => (outputZeroPoint, (byte)255),
            _ => ((byte)(outputZeroPoint / 2), (byte)(128 + outputZeroPoint / 2)),
        };
        var specification = new QuantizedSpecification(weights, bias, zeroPoint, factors, outputZeroPoint, lowest, highest);
        double[] dense = Array.ConvertAll(Packer.Unpack(weights), value => (double)value);
        double[] shifted = Array.ConvertAll(input, value => (double)value - zeroPoint);
        double[] sums = RandomLayer.DenseConvolution(dense, layout.Shape, shifted, layer.Batch, layer.Geometry);
        int[] accumulators = QuantizedReference.Accumulate(weights, input, layer.Batch, layer.Geometry, zeroPoint, bias);
        var expected = new byte[sums.Length];
        for (int i = 0; i < sums.Length; i++)
        {
            int m = i % layer.Outputs;
            double acc = sums[i] + (bias is null ? 0 : bias[m]);
            if (accumulators[i] != acc) // the message costs more than the run
                Assert.Fail($"{layer}: accumulator {i} of the reference is {accumulators[i]}, expected {acc}.");
            double y = Math.Round((float)acc * factors[m], MidpointRounding.ToEven) + outputZeroPoint;
            expected[i] = (byte)Math.Clamp(y, lowest, highest);
        }

        foreach (var kernel in KernelRegistry.Quantized.Where(kernel => kernel.IsSupported && kernel.Accepts(layout)))
        {
            using PreparedLayer<byte> prepared = kernel.Prepare(specification);
            foreach (bool guardBefore in (bool[])[false, true])
            {
                byte[] actual = RunGuarded(prepared, layer, input, guardBefore);
                int wrong = actual.AsSpan().CommonPrefixLength(expected);
                if (wrong < expected.Length)
                    Assert.Fail($"{kernel.Name}, {layer}: output {wrong} is {actual[wrong]}, expected {expected[wrong]}.");
            }

            _runs.Count(kernel.Name);
        }
    }

    private static byte[] RunGuarded(PreparedLayer<byte> prepared, LayerCase layer, byte[] input, bool guardBefore)
    {
        using var x = GuardedMemory<byte>.Copy(input, guardBefore);
        using var y = new GuardedMemory<byte>(layer.OutputLength, guardBefore);
        prepared.Run(x.Span, layer.Batch, layer.Geometry, y.Span);
        return y.Span.ToArray();
    }
}
