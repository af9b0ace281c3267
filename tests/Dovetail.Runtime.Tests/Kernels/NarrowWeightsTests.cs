using Dovetail.Runtime.Kernels.MachineCode;

namespace Dovetail.Runtime.Tests.Kernels;

/// <summary>Weights are narrowed only where not a bit is lost.</summary>
public sealed class NarrowWeightsTests
{
    private static float FromBits(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    [Fact]
    public void StorageIsTheNarrowestThatIsExact()
    {
        Assert.Equal(WeightStorage.BFloat16, NarrowWeights.StorageOf([0, -0f, 1.5f, float.NaN, float.PositiveInfinity, FromBits(0x0001_0000)]));
        Assert.Equal(WeightStorage.Float16, NarrowWeights.StorageOf([1 + 1 / 1024f, -65504, 1 / 16777216f, 0]));
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([1.5f, 0.1f]));
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([1 + 1 / 1024f, 65536])); // one has no bfloat16, the other no float16
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([FromBits(1)])); // a denormal float
        Assert.Equal(WeightStorage.AsMultiplied, NarrowWeights.StorageOf([FromBits(0x7F80_0001)])); // a NaN that a conversion would quieten
    }
}
