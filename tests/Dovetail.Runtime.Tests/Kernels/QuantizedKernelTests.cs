using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Runtime.Kernels;
using Dovetail.Runtime.Kernels.Dispatch;
using Dovetail.Runtime.Kernels.Reference;

namespace Dovetail.Runtime.Tests.Kernels;

/// <summary>Every int8 registry entry against the definition of a convolution: integers equal exactly.</summary>
public sealed class QuantizedKernelTests
{
    private static readonly string[] Patterns =
    [
        "1:1", "1:2", "2:4", "1:8", "3:7", "1:16", "2:32", "4:64", "1:64", "5:48", "8:64", "1:200",
        "1:16x2", "4:64x5", "1:8@strided", "4:64@strided", "1:4/out", "2:8x2/out@strided",
    ];

    public static TheoryData<string> KernelNames => [.. KernelRegistry.Quantized.Where(kernel => kernel.IsSupported).Select(kernel => kernel.Name)];

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void EveryTailOfOutputsChannelsAndPixels(string name)
    {
        foreach (string pattern in new[] { "4:64", "1:16" })
            for (int n = 1; n <= 70; n++)
            {
                Check(name, new LayerCase(pattern, n, 70, PreparedLayer.RowsOf(3), Seed: n));
                Check(name, new LayerCase(pattern, 19, n, PreparedLayer.RowsOf(2), Seed: n));
                Check(name, new LayerCase(pattern, 17, 66, PreparedLayer.RowsOf(n), Seed: n));
            }
    }

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void RandomConvolutions(string name)
    {
        int ran = 0;
        foreach (string pattern in Patterns)
            for (int seed = 0; seed < 12; seed++)
                ran += Check(name, LayerCase.Random(seed * 1000 + 3, pattern)) ? 1 : 0;
        Assert.True(ran >= 12, $"{name} ran only {ran} cases.");
    }

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void DeepInputsThatAreTakenInChunks(string name)
    {
        foreach (string pattern in (string[])["4:64", "1:16", "3:40"])
        {
            Check(name, new LayerCase(pattern, 150, 4127, PreparedLayer.RowsOf(25), Seed: 1));
            Check(name, new LayerCase(pattern, 160, 4096, PreparedLayer.RowsOf(12), Seed: 2));
            Check(name, new LayerCase(pattern, 139, 850, new ConvolutionGeometry(5, 6, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1), Seed: 3));
        }
    }

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void ExtremeOperandsDoNotSaturate(string name)
    {
        var kernel = KernelRegistry.Quantized.Single(kernel => kernel.Name == name);
        var layout = new CellLayout(ComplementaryPattern.Parse("4:64"), WeightShape.Matrix(32, 256));
        foreach (sbyte weight in new sbyte[] { -128, 127 })
        {
            var values = new sbyte[layout.ValueCount];
            Array.Fill(values, weight);
            var owners = new byte[layout.OwnerCount];
            for (int i = 0; i < owners.Length; i++)
                owners[i] = (byte)(i % 4 * 16 + i % 7);
            var weights = new PackedTensor<sbyte>(layout, values, owners);
            var input = new byte[2 * 256];
            Array.Fill(input, (byte)255);
            int sum = 16 * 255 * weight;
            var factors = new float[32];
            Array.Fill(factors, 1f / 4096);
            using PreparedLayer<byte> prepared = kernel.Prepare(new QuantizedSpecification(weights, null, 0, factors, 128));
            var output = new byte[64];
            prepared.Run(input, 2, new ConvolutionGeometry(1, 1, 1, 1), output);
            Assert.All(output, y => Assert.Equal(QuantizedReference.Requantize(sum, 1f / 4096, 128), y));
            Assert.All(QuantizedReference.Accumulate(weights, input, 1, PreparedLayer.RowsOf(2), 0), acc => Assert.Equal(sum, acc));
        }
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
    public void RequantizeRoundsHalfToEvenAndSaturates(int accumulator, float factor, byte zeroPoint, byte expected)
    {
        Assert.Equal(expected, QuantizedReference.Requantize(accumulator, factor, zeroPoint));
        Assert.Equal(Math.Max(expected, zeroPoint), QuantizedReference.Requantize(accumulator, factor, zeroPoint, lowest: zeroPoint));
    }

    private static bool Check(string name, LayerCase layer)
    {
        var kernel = KernelRegistry.Quantized.Single(kernel => kernel.Name == name);
        CellLayout layout = layer.Layout;
        if (!kernel.Accepts(layout))
            return false;
        var random = new Random(layer.Seed);
        PackedTensor<sbyte> weights = RandomLayer.Int8(layout, random);
        int[]? bias = layer.Bias ? [.. RandomLayer.Floats(layer.Outputs, random).Select(b => (int)(b * 5000))] : null;
        var zeroPoint = (byte)random.Next(256);
        var outputZeroPoint = (byte)random.Next(256);
        float[] factors = Array.ConvertAll(RandomLayer.Floats(layer.Outputs, random), f => MathF.Abs(f) * 0.01f);
        using var input = GuardedMemory<byte>.Copy(RandomLayer.Bytes(layer.InputLength, random), layer.Seed % 2 == 0);
        using var output = new GuardedMemory<byte>(layer.OutputLength, layer.Seed % 2 == 0);
        (byte lowest, byte highest) = layer.Kind switch
        {
            ActivationKind.None => ((byte)0, (byte)255),
            ActivationKind.Relu => (outputZeroPoint, (byte)255),
            _ => ((byte)(outputZeroPoint / 2), (byte)(128 + outputZeroPoint / 2)),
        };
        using (PreparedLayer<byte> prepared = kernel.Prepare(
            new QuantizedSpecification(weights, bias, zeroPoint, factors, outputZeroPoint, lowest, highest)))
            prepared.Run(input.Span, layer.Batch, layer.Geometry, output.Span);

        int[] accumulators = QuantizedReference.Accumulate(weights, input.Span, layer.Batch, layer.Geometry, zeroPoint, bias);
        double[] dense = Array.ConvertAll(Packer.Unpack(weights), value => (double)value);
        double[] shifted = Array.ConvertAll(input.Span.ToArray(), value => (double)value - zeroPoint);
        double[] expected = RandomLayer.DenseConvolution(dense, layout.Shape, shifted, layer.Batch, layer.Geometry);
        for (int i = 0; i < expected.Length; i++)
        {
            int m = i % layer.Outputs;
            double acc = expected[i] + (bias is null ? 0 : bias[m]);
            Assert.True(accumulators[i] == acc, $"{name}, {layer}: accumulator {i} is {accumulators[i]}, expected {acc}.");
            double y = Math.Round((float)acc * factors[m], MidpointRounding.ToEven) + outputZeroPoint;
            y = Math.Clamp(y, lowest, highest);
            Assert.True(output.Span[i] == y, $"{name}, {layer}: output {i} is {output.Span[i]}, expected {y}.");
        }

        return true;
    }
}
