using Dovetail.Benchmarking.Layers;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;

namespace Dovetail.Benchmarking.Tests;

/// <summary>Bare layers: what is measured is the same product on every side.</summary>
public sealed class LayerBenchmarkTests
{
    private static readonly LayerShape s_conv = new(
        new LayerWorkload("conv", "Conv", 48, 35, 9 * 32, new ConvolutionGeometry(9, 14, 3, 3, 2, 2, 1, 1, 1, 1)), 2);
    private static readonly LayerShape s_gemm = new(new LayerWorkload("gemm", "Gemm", 33, 1, 64));

    [Theory]
    [InlineData(DType.Float32, "1:16", 1)]
    [InlineData(DType.Float32, "2:32", 3)]
    [InlineData(DType.Int8, "1:4", 3)]
    [InlineData(DType.Int8, "2:32", 1)]
    public void Packed_and_dense_compute_the_same(DType type, string pattern, int batch)
    {
        foreach (LayerShape shape in (LayerShape[])[s_conv, s_gemm])
        {
            var layer = new SyntheticLayer(shape, batch, seed: 7);
            PackedTensor weights = layer.Pack(ComplementaryPattern.Parse(pattern), type);
            Assert.Equal(type, weights.DType);
            byte[] packed = layer.Packed(weights).ToBytes();
            LayerCheck.Compare(shape, packed, layer.DenseOf(weights).ToBytes(), weights, batch, 1, seed: 8);
            PackedTensor others = new SyntheticLayer(shape, batch, seed: 9).Pack(weights.Pattern, type);
            var error = Assert.Throws<BenchmarkException>(
                () => LayerCheck.Compare(shape, packed, layer.DenseOf(others).ToBytes(), weights, batch, 1, seed: 8));
            Assert.Contains($"Layer '{shape.Workload.Name}' in pattern {pattern}: packed and dense results differ by", error.Message);
        }
    }

    [Fact]
    public void Sixteen_bit_weights_are_measured_and_near_the_dense_result()
    {
        var options = new BenchmarkOptions(Seconds: 0.001, Batch: 2);
        foreach (LayerShape shape in (LayerShape[])[s_conv, s_gemm])
        {
            LayerMeasurement rounded = Assert.Single(
                new LayerBenchmark(DType.BFloat16, options, 50).Measure(shape, [new ComplementaryPattern(2, 32)]));
            Assert.Contains("bf16", rounded.Kernel);
            LayerMeasurement stored = Assert.Single(
                new LayerBenchmark(DType.Float16, options with { Threads = 2 }, 50).Measure(shape, [new ComplementaryPattern(1, 16)]));
            Assert.Contains("f32", stored.Kernel);
        }
    }

    /// <summary>The blocked convolution that is timed is the convolution: its blocks, put in order, are the NCHW result.</summary>
    [Fact]
    public void The_operator_without_reorders_is_the_same_convolution()
    {
        const int Batch = 2;
        var layer = new SyntheticLayer(s_conv, Batch, seed: 7);
        byte[] plain = layer.Float(layer.FloatWeights).ToBytes();
        (byte[] Model, string Name)? extracted = OptimizedOperator.Extract(plain, s_conv.ChannelsLastInput(Batch), 1);
        Assert.SkipWhen(extracted is null, "ONNX Runtime has no blocked convolution on this machine.");
        Assert.Equal("Conv NCHWc", extracted.Value.Name);
        var random = new Random(3);
        float[] input = [.. Enumerable.Range(0, Batch * 32 * 9 * 14).Select(_ => (float)(random.NextDouble() * 2 - 1))];
        float[] expected = Run(plain, input, Batch, 32, 9, 14);
        float worst = new[] { 8, 16 }.Min(block => // the width of ONNX Runtime's vectors
        {
            float[] blocked = Run(extracted.Value.Model, Reorder(input, Batch, 32, 9 * 14, block, back: false), Batch, 32, 9, 14);
            return Reorder(blocked, Batch, 48, 35, block, back: true).Zip(expected, (a, b) => Math.Abs(a - b)).Max();
        });
        Assert.InRange(worst, 0, 1e-4f);
    }

    [Fact]
    public void The_integer_convolution_without_transposes_is_NHWC()
    {
        var layer = new SyntheticLayer(s_conv, 1, seed: 7);
        (byte[] Model, string Name)? extracted = OptimizedOperator.Extract(
            layer.Quantized(layer.IntegerWeights, 1).ToBytes(), s_conv.ChannelsLastInput(1), 1);
        Assert.SkipWhen(extracted is null, "ONNX Runtime runs QLinearConv on NCHW on this machine.");
        Assert.Equal("QLinearConv NHWC", extracted.Value.Name);
        NodeProto node = Assert.Single(OnnxModel.Parse(extracted.Value.Model).Nodes);
        Assert.Equal(("com.microsoft", 1L), (node.Domain, node.GetInt("channels_last", 0)));
    }

    [Fact]
    public void Every_fitting_pattern_is_measured_beside_both_baselines()
    {
        var patterns = new[] { "1:8", "1:64", "1:16" }.Select(ComplementaryPattern.Parse).ToArray();
        var benchmark = new LayerBenchmark(DType.Float32, new BenchmarkOptions(Seconds: 0.01, Batch: 2), peakGflops: 50);
        IReadOnlyList<LayerMeasurement> rows = benchmark.Measure(s_conv, patterns);
        Assert.Equal(["1:8", "1:16"], rows.Select(row => row.Pattern));
        Assert.Contains("32 channels are fewer than the group, 64", LayerBenchmark.ReasonAgainst(s_conv, patterns[1]));
        foreach (LayerMeasurement row in rows)
        {
            Assert.Equal(
                KernelNames.Of(
                    new SyntheticLayer(s_conv, 2, 1).Pack(ComplementaryPattern.Parse(row.Pattern), DType.Float32),
                    (long)s_conv.Workload.N * 2), row.Kernel);
            Assert.Contains(row.Dense.Operator, (string[])["Conv NCHWc", "Conv NCHW"]);
            Assert.Contains(row.DenseInt8.Operator, (string[])["QLinearConv NHWC", "QLinearConv NCHW"]);
            Assert.Equal(2e-3 * 2 * s_conv.Workload.DenseMacs / row.Packed.MedianMicroseconds, row.EffectiveGflops, 1e-9);
            Assert.Equal(row.UsefulGflops / 50, row.ShareOfPeak, 1e-12);
            Assert.False(row.IsSingleRow);
        }

        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => benchmark.Measure(s_conv, patterns, cancelled.Token));
    }

    [Fact]
    public void Summaries_are_geometric_means_by_pattern_and_group()
    {
        LayerMeasurement Row(LayerShape shape, string pattern, double dense, double packed)
        {
            Timing Time(double microseconds) => new(1, microseconds, microseconds / 2, microseconds, microseconds);
            return new(shape, pattern, 1.0 / 16, DType.Float32, 1, "k", Time(packed), new("d", Time(dense)), new("i", Time(dense / 4)),
                Time(2 * dense), 100);
        }

        IReadOnlyList<LayerSummary> summaries = LayerSummary.Of(
            [Row(s_conv, "1:16", 80, 10), Row(s_gemm, "1:16", 20, 10), Row(s_gemm, "1:8", 30, 10)]);
        Assert.Equal(["1:16 all", "1:16 conv", "1:16 gemm", "1:16 batch 1", "1:8 all", "1:8 gemm", "1:8 batch 1"], summaries.Select(
            s => $"{s.Pattern} {s.Group}"));
        Assert.Equal(4, summaries[0].Ratio, 1e-9);
        Assert.Equal(1, summaries[0].RatioInt8, 1e-9);
        Assert.Equal(8, summaries[0].RatioAlone, 1e-9);
        Assert.Equal(180.0 / 30, summaries[0].TotalRatio, 1e-9); // the convolution twice
        Assert.Equal(
            (8, 2, 3), ((int)Math.Round(summaries[1].Ratio), (int)Math.Round(summaries[2].Ratio), (int)Math.Round(summaries[4].Ratio)));
    }

    [Fact]
    public void A_list_is_measured_layer_by_layer_and_what_does_not_fit_is_named()
    {
        ComplementaryPattern[] patterns = [new(4, 64), new(1, 16)];
        var told = new Told();
        LayerListResult result = LayerListBenchmark.Measure(
            [s_conv, s_gemm], patterns, DType.Float32, new BenchmarkOptions(Seconds: 0.001), told);
        Assert.Equal([s_conv, s_gemm], told);
        Assert.Equal([(s_conv, "1:16"), (s_gemm, "4:64"), (s_gemm, "1:16")], result.Layers.Select(row => (row.Shape, row.Pattern)));
        Assert.Equal([new UnfitLayer(s_conv, patterns[0], "32 channels are fewer than the group, 64")], result.StayDense);
        Assert.All(result.Layers, row => Assert.Equal(result.PeakGflops, row.PeakGflops));
        Assert.Equal(LayerSummary.Of(result.Layers), result.Summaries);
        Assert.True(result.SessionOverheadMicroseconds > 0);
    }

    private static float[] Run(byte[] model, float[] input, params long[] dimensions)
    {
        using var session = DovetailSession.Create(model, new DovetailSessionOptions(1, OptimizeGraph: false));
        return session.Run(input, dimensions);
    }

    /// <summary>[images, channels, pixels] to [images, channels / block, pixels, block], or back.</summary>
    private static float[] Reorder(float[] values, int images, int channels, int pixels, int block, bool back)
    {
        var result = new float[values.Length];
        for (int image = 0; image < images; image++)
            for (int channel = 0; channel < channels; channel++)
                for (int pixel = 0; pixel < pixels; pixel++)
                {
                    int plain = (image * channels + channel) * pixels + pixel;
                    int blocked = ((image * (channels / block) + channel / block) * pixels + pixel) * block + channel % block;
                    result[back ? plain : blocked] = values[back ? blocked : plain];
                }

        return result;
    }

    private sealed class Told : List<LayerShape>, IProgress<LayerShape>
    {
        public void Report(LayerShape value) => Add(value);
    }
}
