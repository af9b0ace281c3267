using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;
using Dovetail.Kernels.Dispatch;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>What buffers a run takes: every size is checked, and the output may overlap only an equal residual.</summary>
public sealed class BufferTests
{
    private static readonly LayerCase Layer = new("1:8", 16, 16, PreparedLayer.RowsOf(4), Kind: ActivationKind.None);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    public void An_output_that_overlaps_the_input_is_refused(int shift) => ForEachKernel(prepared =>
    {
        var memory = new float[2 * 64];
        var error = Assert.Throws<KernelException>(() => prepared.Run(memory.AsSpan(shift, 64), 1, Layer.Geometry, memory.AsSpan(0, 64)));
        Assert.Contains("The output overlaps the input", error.Message, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    public void An_output_that_overlaps_a_shifted_residual_is_refused(int shift) => ForEachKernel(prepared =>
    {
        float[] input = new float[64], memory = new float[2 * 64];
        Assert.Throws<KernelException>(() => prepared.Run(input, 1, Layer.Geometry, memory.AsSpan(0, 64), memory.AsSpan(shift, 64)));
    });

    [Fact]
    public void A_residual_may_be_added_in_place() => ForEachKernel(prepared =>
    {
        float[] input = RandomLayer.Floats(64, new Random(1)), residual = RandomLayer.Floats(64, new Random(2));
        var expected = new float[64];
        prepared.Run(input, 1, Layer.Geometry, expected, residual);
        prepared.Run(input, 1, Layer.Geometry, residual, residual);
        Assert.Equal(expected, residual);
    });

    [Fact]
    public void Buffers_of_another_size_are_refused() => ForEachKernel(prepared =>
    {
        float[] right = new float[64], wrong = new float[63], other = new float[64];
        Assert.Contains("The input has 63 elements, expected 64", Message(wrong, right, default), StringComparison.Ordinal);
        Assert.Contains("The output has 63 elements, expected 64", Message(right, wrong, default), StringComparison.Ordinal);
        Assert.Contains("The residual has 63 elements, expected 64", Message(right, other, wrong), StringComparison.Ordinal);

        string Message(float[] input, float[] output, float[]? residual) =>
            Assert.Throws<KernelException>(() => prepared.Run(input, 1, Layer.Geometry, output, residual)).Message;
    });

    [Theory]
    [InlineData(40_000, 40_000, "The output has 102402560016 elements")]
    [InlineData(int.MaxValue, 40_000, "is 4294967295 × 80001 with its pads")]
    public void Pads_that_make_more_than_an_array_holds_are_refused(int vertical, int horizontal, string message) =>
        ForEachKernel(prepared =>
    {
        var geometry = new ConvolutionGeometry(
            1, 1, 1, 1, PadTop: vertical, PadLeft: horizontal, PadBottom: vertical, PadRight: horizontal);
        var error = Assert.Throws<KernelException>(() => prepared.Run(new float[16], 1, geometry, []));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void Memory_that_is_freed_is_not_read()
    {
        var without = new List<string>();
        ForEachKernel(prepared =>
        {
            prepared.Dispose();
            if (prepared.KernelName.Contains("reference", StringComparison.Ordinal))
                without.Add(prepared.KernelName); // no memory but the collector's
            else
                Assert.Throws<ObjectDisposedException>(() => prepared.Run(new float[64], 1, Layer.Geometry, new float[64]));
        });
        Assert.Single(without);
    }

    [Fact]
    public void Runs_of_one_layer_may_overlap() =>
        ForEachKernel(Layer with { Outputs = 70, Channels = 96, Geometry = new ConvolutionGeometry(9, 10, 3, 3, PadTop: 1, PadLeft: 1) },
        (layer, prepared) =>
    {
        const int Callers = 4, Runs = 20;
        float[][] inputs = [.. Enumerable.Range(0, Callers).Select(caller => RandomLayer.Floats(layer.InputLength, new Random(caller)))];
        float[][] first = [.. inputs.Select(_ => new float[layer.OutputLength])];
        // Together first, when functions are still to be made; then one by one.
        string?[] differences = new string?[Callers];
        using var start = new Barrier(Callers);
        Thread[] threads = [.. Enumerable.Range(0, Callers).Select(caller => new Thread(() =>
        {
            var output = new float[layer.OutputLength];
            start.SignalAndWait();
            prepared.Run(inputs[caller], 1, layer.Geometry, first[caller]);
            for (int run = 1; run < Runs; run++)
            {
                prepared.Run(inputs[caller], 1, layer.Geometry, output);
                if (!output.AsSpan().SequenceEqual(first[caller]))
                    differences[caller] = $"{prepared.KernelName}: run {run} of caller {caller} differs from its first.";
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(differences, Assert.Null);
        for (int caller = 0; caller < Callers; caller++)
        {
            var alone = new float[layer.OutputLength];
            prepared.Run(inputs[caller], 1, layer.Geometry, alone);
            Assert.Equal(alone, first[caller]);
        }
    });

    [Fact]
    public void Quantized_overlaps_are_refused()
    {
        PackedTensor<sbyte> weights = RandomLayer.Int8(Layer.Layout, new Random(1));
        var memory = new byte[2 * 64];
        foreach (var kernel in KernelRegistry.Quantized.Where(kernel => kernel.IsSupported))
        {
            using PreparedLayer<byte> prepared = kernel.Prepare(new QuantizedSpecification(weights, null, 0, new float[16], 0));
            foreach (int shift in (int[])[0, 1, 63])
                Assert.Throws<KernelException>(() => prepared.Run(memory.AsSpan(shift, 64), 1, Layer.Geometry, memory.AsSpan(0, 64)));
        }
    }

    private static void ForEachKernel(Action<PreparedLayer<float>> check) => ForEachKernel(Layer, (_, prepared) => check(prepared));

    private static void ForEachKernel(LayerCase layer, Action<LayerCase, PreparedLayer<float>> check)
    {
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(1));
        foreach (var kernel in FloatKernels.Supported.Where(kernel => kernel.Accepts(layer.Layout)))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights));
            check(layer, prepared);
        }
    }
}
