using Dovetail.Core.Packing;
using Dovetail.Kernels.MachineCode;
using Dovetail.Kernels.Selector;
using Dovetail.Tests.Kernels;

namespace Dovetail.Kernels.Tests;

/// <summary>Weights are narrowed only where not a bit is lost.</summary>
public sealed class NarrowWeightsTests
{
    private static float FromBits(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    /// <summary>The same layer with weights as they are multiplied and with narrow ones.</summary>
    [Theory]
    [InlineData("1:16", DType.BFloat16)]
    [InlineData("1:16", DType.Float16)]
    [InlineData("3:32", DType.BFloat16)]
    [InlineData("1:4", DType.Float16)]
    public void Results_are_the_same_to_the_bit(string pattern, DType type)
    {
        if (!TileFunctions.IsSupported(TileArithmetic.Float32Window32))
            return; // nothing is narrowed without the emitted kernels
        for (int n = 1; n <= 14; n++)
        {
            var layer = new LayerCase(pattern, 40 + n, 83, PreparedLayer.RowsOf(n), Seed: n);
            PackedTensor<float> weights = PackedCast.ToFloat32(PackedCast.To(RandomLayer.Float32(layer.Layout, new Random(n)), type));
            float[] input = RandomLayer.Floats(layer.InputLength, new Random(n));
            Assert.Equal(
                Run(weights, input, n, WeightStorage.AsMultiplied),
                Run(weights, input, n, type == DType.Float16 ? WeightStorage.Float16 : WeightStorage.BFloat16));
        }
    }

    private static float[] Run(PackedTensor<float> weights, float[] input, int rows, WeightStorage storage)
    {
        int window = weights.Pattern.Group > 16 ? 32 : 16;
        var format = new LaneFormat(16, window, true, 1, sizeof(float));
        using var layer = new EmittedLayer<float>(
            "test", weights, window == 32 ? TileArithmetic.Float32Window32 : TileArithmetic.Float32Window16, format,
            new UniformTileStreams(SelectorStreams.Create(weights, format), format, 1, storage),
            LayerConstants.Of(new Float32Specification(weights)), padding: 0);
        var output = new float[rows * weights.Shape.Outputs];
        layer.Run(input, 1, PreparedLayer.RowsOf(rows), output);
        return output;
    }

    [Fact]
    public void Storage_is_the_narrowest_that_is_exact()
    {
        Assert.Equal(
            WeightStorage.BFloat16, NarrowWeights.StorageOf([0, -0f, 1.5f, float.NaN, float.PositiveInfinity, FromBits(0x0001_0000)]));
        Assert.Equal(WeightStorage.Float16, NarrowWeights.StorageOf([1 + 1 / 1024f, -65504, 1 / 16777216f, 0]));
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([1.5f, 0.1f]));
        // one has no bfloat16, the other no float16
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([1 + 1 / 1024f, 65536]));
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([FromBits(1)])); // a denormal float
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([FromBits(0x7F80_0001)])); // a NaN that a conversion would quieten
    }
}
