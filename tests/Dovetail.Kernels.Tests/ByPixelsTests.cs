using Dovetail.Core.Packing;
using Dovetail.Kernels.Dispatch;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>A pattern that no selector takes runs by one kernel on few pixels and by another on many, from the same layer.</summary>
public sealed class ByPixelsTests
{
    private static readonly bool s_broadcasts = KernelRegistry.Float32.Any(kernel => kernel.IsSupported && kernel.WantsPixels);

    [Theory]
    [InlineData("1:16/out")]
    [InlineData("4:64")]
    [InlineData("2:16@strided")]
    public void Every_number_of_pixels_agrees_with_the_reference(string pattern)
    {
        var layer = new LayerCase(pattern, 40, 128, PreparedLayer.RowsOf(1));
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(1));
        using PreparedLayer<float> prepared = KernelRegistry.Prepare(new Float32Specification(weights));
        using PreparedLayer<float> reference = KernelRegistry.Float32[^1].Prepare(new Float32Specification(weights));
        foreach (int pixels in (int[])[40, 1, 17, 3, 16, 15, 4, 8, 7, 33]) // one layer, in no order
        {
            float[] input = RandomLayer.Floats(pixels * 128, new Random(pixels)), output = new float[pixels * 40],
                expected = new float[pixels * 40];
            prepared.Run(input, 1, PreparedLayer.RowsOf(pixels), output);
            reference.Run(input, 1, PreparedLayer.RowsOf(pixels), expected);
            for (int i = 0; i < output.Length; i++)
                Assert.Equal(expected[i], output[i], 1e-4f);
        }
    }

    [Theory]
    [InlineData("1:16/out")]
    [InlineData("1:16")]
    [InlineData("4:64")]
    public void A_layer_is_checked_when_it_is_prepared(string pattern)
    {
        var layer = new LayerCase(pattern, 40, 128, PreparedLayer.RowsOf(1));
        PackedTensor<float> weights = RandomLayer.Float32(layer.Layout, new Random(1));
        Assert.Contains(
            "The bias has 5 entries", Assert.Throws<KernelException>(
                () => KernelRegistry.Prepare(new Float32Specification(weights, new float[5]))).Message, StringComparison.Ordinal);
        PackedTensor<sbyte> integers = RandomLayer.Int8(layer.Layout, new Random(1));
        float[] factors = [.. Enumerable.Repeat(float.NaN, 40)];
        Assert.Contains(
            "factor is NaN", Assert.Throws<KernelException>(
                () => KernelRegistry.Prepare(new QuantizedSpecification(integers, null, 0, factors, 0))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_say_which_kernel_runs()
    {
        var layer = new LayerCase("1:16/out", 40, 128, PreparedLayer.RowsOf(1));
        using PreparedLayer<float> prepared = KernelRegistry.Prepare(
            new Float32Specification(RandomLayer.Float32(layer.Layout, new Random(1))));
        // without vectors there is none
        Assert.Equal(s_broadcasts, prepared.KernelName.StartsWith("broadcast-f32", StringComparison.Ordinal));
        Assert.Equal(prepared.KernelName, prepared.KernelNameFor(1000));
        string few = prepared.KernelNameFor(1), least = KernelRegistry.Float32.Last(kernel => !kernel.WantsPixels).Name;
        Kernel<Float32Specification, float> other = KernelRegistry.Float32.First(
            kernel => !kernel.WantsPixels && kernel.IsSupported && kernel.Accepts(layer.Layout));
        // the last resort never runs where another kernel can
        Assert.Equal(other.Name == least && s_broadcasts ? prepared.KernelName : other.Name, few);
        Assert.Equal(few, prepared.KernelNameFor(other.OutrunFrom - 1));
        Assert.Equal(prepared.KernelName, prepared.KernelNameFor(other.OutrunFrom));
    }
}
