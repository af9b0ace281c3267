using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Runtime.Kernels;
using Dovetail.Runtime.Kernels.Dispatch;

namespace Dovetail.Runtime.Tests.Kernels;

/// <summary>
/// Every fp32 registry entry against the definition of a convolution on the unpacked weights, with inaccessible pages
/// around inputs and outputs. Tolerance: 5·(terms + 4) roundings of the sum of magnitudes.
/// </summary>
public sealed class Float32KernelTests
{
    private static readonly string[] Patterns =
    [
        "1:1", "1:2", "1:4", "2:4", "1:8", "1:16", "2:16", "1:32", "2:32", "3:5", "1:12", "5:24", "4:64", "1:200",
        "1:16x2", "2:8x3", "1:8@strided", "2:16@strided", "1:4/out", "2:8/out", "1:8x2/out", "1:4/out@strided",
    ];

    public static TheoryData<string> KernelNames => [.. KernelRegistry.Float32.Where(kernel => kernel.IsSupported).Select(kernel => kernel.Name)];

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void EveryTailOfOutputsChannelsAndPixels(string name)
    {
        string[] patterns = name.Contains("w8-", StringComparison.Ordinal) ? ["1:8", "2:4"] : ["1:16", "2:32"];
        foreach (string pattern in patterns)
            for (int n = 1; n <= 70; n++)
            {
                Check(name, new LayerCase(pattern, n, 35, PreparedLayer.RowsOf(3), Seed: n));
                Check(name, new LayerCase(pattern, 19, n, PreparedLayer.RowsOf(2), Seed: n));
                Check(name, new LayerCase(pattern, 17, 33, PreparedLayer.RowsOf(n), Seed: n));
            }
    }

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void RandomConvolutions(string name)
    {
        int ran = 0;
        foreach (string pattern in Patterns)
            for (int seed = 0; seed < 12; seed++)
                ran += Check(name, LayerCase.Random(seed * 1000 + 7, pattern)) ? 1 : 0;
        Assert.True(ran >= 12, $"{name} ran only {ran} cases.");
    }

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void DeepInputsThatAreTakenInChunks(string name)
    {
        foreach (string pattern in (string[])["1:16", "2:32", "1:5"])
        {
            Check(name, new LayerCase(pattern, 150, 1031, PreparedLayer.RowsOf(25), Seed: 1));
            Check(name, new LayerCase(pattern, 160, 1024, PreparedLayer.RowsOf(12), Seed: 2));
            Check(name, new LayerCase(pattern, 139, 211, new ConvolutionGeometry(5, 6, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1), Seed: 3));
            Check(name, new LayerCase(pattern, 131, 600, new ConvolutionGeometry(4, 5, 2, 3, PadTop: 1, PadLeft: 1), Seed: 4));
        }
    }

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void PrimeShapes(string name)
    {
        string pattern = name.Contains("w8-", StringComparison.Ordinal) ? "1:8" : "1:16";
        Check(name, new LayerCase(pattern, 127, 131, new ConvolutionGeometry(13, 11, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1)));
        Check(name, new LayerCase(pattern, 61, 67, new ConvolutionGeometry(17, 19, 5, 7, 2, 3, 2, 3, 2, 3)));
    }

    [Fact]
    public void InfinityAndNaNReachTheOutputsThatReadThem()
    {
        var layer = new LayerCase("1:16", 33, 48, PreparedLayer.RowsOf(9), Bias: false, Residual: false, Kind: ActivationKind.None);
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(5));
        float[] dense = Packer.Unpack(weights);
        float[] input = RandomLayer.Floats(layer.InputLength, new Random(6));
        (input[3], input[48 * 4 + 17]) = (float.PositiveInfinity, float.NaN);
        foreach (var kernel in KernelRegistry.Float32.Where(kernel => kernel.IsSupported && kernel.Accepts(layer.Layout)))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights));
            var output = new float[layer.OutputLength];
            prepared.Run(input, 1, layer.Geometry, output);
            for (int m = 0; m < 33; m++)
            {
                if (dense[m * 48 + 3] != 0)
                    Assert.True(float.IsInfinity(output[m]), $"{kernel.Name}: output {m} is {output[m]}.");
                if (dense[m * 48 + 17] != 0)
                    Assert.True(float.IsNaN(output[4 * 33 + m]), $"{kernel.Name}: output {m} is {output[4 * 33 + m]}.");
                Assert.True(float.IsFinite(output[33 + m]), kernel.Name);
            }
        }
    }

    private static bool Check(string name, LayerCase layer)
    {
        var kernel = KernelRegistry.Float32.Single(kernel => kernel.Name == name);
        CellLayout layout = layer.Layout;
        if (!kernel.Accepts(layout))
            return false;
        var random = new Random(layer.Seed);
        PackedTensor<float> weights = RandomLayer.Float32(layout, random);
        float[]? bias = layer.Bias ? RandomLayer.Floats(layer.Outputs, random) : null;
        bool guardBefore = layer.Seed % 2 == 0;
        using var input = GuardedMemory<float>.Copy(RandomLayer.Floats(layer.InputLength, random), guardBefore);
        using var residual = GuardedMemory<float>.Copy(layer.Residual ? RandomLayer.Floats(layer.OutputLength, random) : [], guardBefore);
        using var output = new GuardedMemory<float>(layer.OutputLength, guardBefore);
        output.Span.Fill(float.NaN);
        using (PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights, bias, layer.Activation)))
            prepared.Run(input.Span, layer.Batch, layer.Geometry, output.Span, residual.Span);

        double[] dense = Array.ConvertAll(Packer.Unpack(weights), value => (double)value);
        double[] inputs = Array.ConvertAll(input.Span.ToArray(), value => (double)value);
        double[] expected = RandomLayer.DenseConvolution(dense, layout.Shape, inputs, layer.Batch, layer.Geometry);
        double[] magnitudes = RandomLayer.DenseConvolution(
            Array.ConvertAll(dense, Math.Abs), layout.Shape, Array.ConvertAll(inputs, Math.Abs), layer.Batch, layer.Geometry);
        int terms = layout.Shape.Inputs + 4;
        for (int i = 0; i < expected.Length; i++)
        {
            double extra = (bias is null ? 0 : bias[i % layer.Outputs]) + (layer.Residual ? residual.Span[i] : 0);
            double y = expected[i] + extra;
            y = RandomLayer.Apply(layer.Activation, y);
            double tolerance = 5 * terms * Math.ScaleB(1, -24) * (magnitudes[i] + 2);
            Assert.True(Math.Abs(output.Span[i] - y) <= tolerance, $"{name}, {layer}: output {i} is {output.Span[i]}, expected {y} ± {tolerance}.");
        }

        return true;
    }
}
