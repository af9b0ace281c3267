using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>
/// Every fp32 registry entry that this CPU supports, on every case that it accepts, against the definition of a
/// convolution on the unpacked weights, with inaccessible pages right behind and right before inputs, residuals and outputs
/// (biases are copied when a layer is prepared). Tolerance: 5·(terms + 4) roundings of the sum of magnitudes.
/// </summary>
public sealed class Float32KernelTests
{
    private static readonly string[] Patterns =
    [
        "1:1", "1:2", "1:4", "2:4", "1:8", "1:16", "2:16", "1:32", "2:32", "3:5", "1:12", "5:24", "4:64", "1:200",
        "1:16x2", "2:8x3", "1:8@strided", "2:16@strided", "1:4/out", "2:8/out", "1:8x2/out", "1:4/out@strided",
    ];

    private readonly KernelRuns _runs = new(FloatKernels.Supported.Select(kernel => kernel.Name));

    /// <summary>Lengths 0 to 256 of pixels, 1 to 256 of outputs and channels (a weight has no dimension of 0).</summary>
    [Theory]
    [InlineData("1:8")]
    [InlineData("1:16")]
    [InlineData("3:32")]
    public void Every_tail_of_outputs_channels_and_pixels(string pattern)
    {
        for (int n = 0; n <= 256; n++)
        {
            Check(new LayerCase(pattern, 17, 33, PreparedLayer.RowsOf(n), Seed: n));
            if (n == 0)
                continue;
            Check(new LayerCase(pattern, n, 35, PreparedLayer.RowsOf(2), Seed: n));
            Check(new LayerCase(pattern, 19, n, PreparedLayer.RowsOf(3), Seed: n));
        }

        CellLayout layout = new LayerCase(pattern, 17, 33, PreparedLayer.RowsOf(1)).Layout;
        _runs.AssertRan([.. FloatKernels.Supported.Where(kernel => kernel.Accepts(layout)).Select(kernel => kernel.Name)], 3 * 256 + 1);
    }

    [Fact]
    public void Random_convolutions()
    {
        foreach (string pattern in Patterns)
            for (int seed = 0; seed < 12; seed++)
                Check(LayerCase.Random(seed * 1000 + 7, pattern));
        _runs.AssertAll(12);
    }

    [Fact]
    public void Deep_inputs_that_are_taken_in_chunks()
    {
        foreach (string pattern in (string[])["1:16", "2:32", "1:5"])
        {
            Check(new LayerCase(pattern, 150, 1031, PreparedLayer.RowsOf(25), Seed: 1));
            Check(new LayerCase(pattern, 160, 1024, PreparedLayer.RowsOf(12), Seed: 2));
            Check(new LayerCase(
                pattern, 139, 211, new ConvolutionGeometry(5, 6, 3, 3, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1), Seed: 3));
            Check(new LayerCase(pattern, 131, 600, new ConvolutionGeometry(4, 5, 2, 3, PadTop: 1, PadLeft: 1), Seed: 4));
        }

        _runs.AssertAll(4);
    }

    /// <summary>Weights that 16 bits hold exactly are kept so: every tail of outputs (blocks of one vector and of two) and of
    /// pixels.</summary>
    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void Weights_of_sixteen_bits(DType type)
    {
        foreach (string pattern in (string[])["1:16", "1:8", "3:32", "1:4/out"])
        {
            for (int n = 1; n <= 70; n++)
                Check(new LayerCase(pattern, n, 83, PreparedLayer.RowsOf(1 + n % 14), Seed: n, WeightType: type));
            Check(new LayerCase(
                pattern, 50, 40, new ConvolutionGeometry(5, 6, 3, 3, PadTop: 1, PadLeft: 1, Groups: 2), Seed: 71, WeightType: type));
        }

        _runs.AssertAll(71);
    }

    [Fact]
    public void Prime_shapes()
    {
        foreach (string pattern in (string[])["1:8", "3:7", "1:16", "2:32"])
            foreach (LayerCase layer in LayerCase.Primes(pattern))
                Check(layer);
        _runs.AssertAll(6);
    }

    [Fact]
    public void Tasks_in_any_order_make_the_whole()
    {
        var geometry = new ConvolutionGeometry(30, 31, 3, 3, 1, 1, 1, 1, 1, 1);
        foreach (string pattern in (string[])["1:8", "1:16", "1:32"])
        {
            var layer = new LayerCase(pattern, 70, 64, geometry, Residual: false);
            var specification = new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(1)));
            float[] input = RandomLayer.Floats(layer.InputLength, new Random(2));
            float[] whole = new float[layer.OutputLength], parts = new float[layer.OutputLength];
            foreach (var kernel in FloatKernels.Supported.Where(kernel => kernel.Accepts(layer.Layout)))
            {
                using PreparedLayer<float> prepared = kernel.Prepare(specification);
                prepared.Run(input, 1, geometry, whole);
                Array.Fill(parts, float.NaN);
                RunTasksBackwards(prepared, input, parts, geometry);
                int same = whole.AsSpan().CommonPrefixLength(parts);
                if (same < whole.Length)
                    Assert.Fail($"{kernel.Name}, {pattern}: output {same} is {parts[same]} from tasks and {whole[same]} from the whole "
                        + $"run; {whole.Zip(parts).Count(pair => pair.First != pair.Second)} of {whole.Length} differ.");
                _runs.Count(kernel.Name);
            }
        }

        _runs.AssertAll(1);
    }

    /// <summary>One panel of pixels and many outputs: the outputs are cut instead.</summary>
    [Theory]
    [InlineData("1:16/out")]
    [InlineData("1:4")]
    public void Outputs_that_are_cut_make_the_whole(string pattern)
    {
        ConvolutionGeometry geometry = PreparedLayer.RowsOf(13);
        var layer = new LayerCase(pattern, 1051, 1030, geometry, Residual: false);
        var specification = new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(1)));
        float[] input = RandomLayer.Floats(layer.InputLength, new Random(2));
        float[] whole = new float[layer.OutputLength], parts = new float[layer.OutputLength];
        foreach (var kernel in KernelRegistry.Float32.Where(kernel => kernel.WantsPixels && kernel.IsSupported))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(specification);
            prepared.Run(input, 1, geometry, whole);
            RunTasksBackwards(prepared, input, parts, geometry);
            Assert.Equal(whole, parts);
        }

        Check(layer);
    }

    private static unsafe void RunTasksBackwards(PreparedLayer<float> prepared, float[] input, float[] output, ConvolutionGeometry geometry)
    {
        fixed (float* x = input, y = output)
        {
            using StagedInput staged = StagedInput.Of(prepared, new LayerCall(x, null, y, 1, geometry));
            LayerCall call = staged.Call;
            for (int task = prepared.TaskCount(call) - 1; task >= 0; task--)
                prepared.RunTask(call, task);
        }
    }

    private void Check(LayerCase layer)
    {
        CellLayout layout = layer.Layout;
        var random = new Random(layer.Seed);
        PackedTensor<float> weights = PackedCast.ToFloat32(PackedCast.To(RandomLayer.Float32(layout, random), layer.WeightType));
        float[]? bias = layer.Bias ? RandomLayer.Floats(layer.Outputs, random) : null;
        float[] input = RandomLayer.Floats(layer.InputLength, random);
        float[] residual = layer.Residual ? RandomLayer.Floats(layer.OutputLength, random) : [];
        double[] dense = Array.ConvertAll(Packer.Unpack(weights), value => (double)value);
        double[] inputs = Array.ConvertAll(input, value => (double)value);
        double[] expected = RandomLayer.DenseConvolution(dense, layout.Shape, inputs, layer.Batch, layer.Geometry);
        double[] magnitudes = RandomLayer.DenseConvolution(
            Array.ConvertAll(dense, Math.Abs), layout.Shape, Array.ConvertAll(inputs, Math.Abs), layer.Batch, layer.Geometry);
        for (int i = 0; i < expected.Length; i++)
            expected[i] = RandomLayer.Apply(
                layer.Activation, expected[i] + (bias is null ? 0 : bias[i % layer.Outputs]) + (layer.Residual ? residual[i] : 0));
        foreach (var kernel in FloatKernels.Supported.Where(kernel => kernel.Accepts(layout)))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights, bias, layer.Activation));
            double relative = RelativeError(kernel.Name, layout.Shape.Inputs);
            foreach (bool guardBefore in (bool[])[false, true])
            {
                using var x = GuardedMemory<float>.Copy(input, guardBefore);
                using var r = GuardedMemory<float>.Copy(residual, guardBefore);
                using var y = new GuardedMemory<float>(layer.OutputLength, guardBefore);
                y.Span.Fill(float.NaN);
                prepared.Run(x.Span, layer.Batch, layer.Geometry, y.Span, r.Span);
                for (int i = 0; i < expected.Length; i++)
                {
                    double tolerance = relative * (magnitudes[i] + 2);
                    if (!(Math.Abs(y.Span[i] - expected[i]) <= tolerance)) // the message costs more than the run
                        Assert.Fail($"{kernel.Name}, {layer}: output {i} is {y.Span[i]}, expected {expected[i]} ± {tolerance}.");
                }
            }

            _runs.Count(kernel.Name);
        }
    }

    /// <summary>Operands in bf16 lose up to 2⁻⁹ each.</summary>
    private static double RelativeError(string kernel, int terms) =>
        5 * (terms + 4) * Math.ScaleB(1, -24) + (FloatKernels.RoundsOperands(kernel) ? Math.ScaleB(1, -7) : 0);
}
