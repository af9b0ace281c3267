using Dovetail.Core.Packing;
using Dovetail.Runtime.Kernels;
using Dovetail.Runtime.Kernels.Dispatch;

namespace Dovetail.Runtime.Tests.Kernels;

/// <summary>What buffers a run takes: every size is checked, and the output may overlap only an equal residual.</summary>
public sealed class BufferTests
{
    private static readonly LayerCase Layer = new("1:8", 16, 16, PreparedLayer.RowsOf(4), Kind: ActivationKind.None);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    public void AnOutputThatOverlapsTheInputIsRefused(int shift) => ForEachKernel(prepared =>
    {
        var memory = new float[2 * 64];
        var error = Assert.Throws<KernelException>(() => prepared.Run(memory.AsSpan(shift, 64), 1, Layer.Geometry, memory.AsSpan(0, 64)));
        Assert.Contains("The output overlaps the input", error.Message, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    public void AnOutputThatOverlapsAShiftedResidualIsRefused(int shift) => ForEachKernel(prepared =>
    {
        float[] input = new float[64], memory = new float[2 * 64];
        Assert.Throws<KernelException>(() => prepared.Run(input, 1, Layer.Geometry, memory.AsSpan(0, 64), memory.AsSpan(shift, 64)));
    });

    [Fact]
    public void AResidualMayBeAddedInPlace() => ForEachKernel(prepared =>
    {
        float[] input = RandomLayer.Floats(64, new Random(1)), residual = RandomLayer.Floats(64, new Random(2));
        var expected = new float[64];
        prepared.Run(input, 1, Layer.Geometry, expected, residual);
        prepared.Run(input, 1, Layer.Geometry, residual, residual);
        Assert.Equal(expected, residual);
    });

    [Fact]
    public void BuffersOfAnotherSizeAreRefused() => ForEachKernel(prepared =>
    {
        float[] right = new float[64], wrong = new float[63], other = new float[64];
        Assert.Contains("The input has 63 elements, expected 64", Message(wrong, right, default), StringComparison.Ordinal);
        Assert.Contains("The output has 63 elements, expected 64", Message(right, wrong, default), StringComparison.Ordinal);
        Assert.Contains("The residual has 63 elements, expected 64", Message(right, other, wrong), StringComparison.Ordinal);

        string Message(float[] input, float[] output, float[]? residual) =>
            Assert.Throws<KernelException>(() => prepared.Run(input, 1, Layer.Geometry, output, residual)).Message;
    });

    [Fact]
    public void QuantizedOverlapsAreRefused()
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

    private static void ForEachKernel(Action<PreparedLayer<float>> check)
    {
        PackedTensor<float> weights = RandomLayer.Float32(Layer.Layout, new Random(1));
        foreach (var kernel in FloatKernels.Supported.Where(kernel => kernel.Accepts(Layer.Layout)))
        {
            using PreparedLayer<float> prepared = kernel.Prepare(new Float32Specification(weights));
            check(prepared);
        }
    }
}
