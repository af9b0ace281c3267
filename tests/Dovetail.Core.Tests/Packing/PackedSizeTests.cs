using CsCheck;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Packing;

public sealed class PackedSizeTests
{
    [Fact]
    public void Size_IsThatOfThePackedTensor() => Gens.Layout.Sample(layout =>
    {
        PackedTensor<float> packed = SyntheticWeights.Packed(layout, 1);
        foreach (DType type in (DType[])[DType.Float32, DType.Float16, DType.BFloat16])
        {
            PackedSize size = PackedSize.Of(layout, type);
            PackedTensor cast = PackedCast.To(packed, type);
            Assert.Equal(type, cast.DType);
            Assert.Equal(cast.ByteCount, size.TotalBytes);
            Assert.Equal(cast.ValueBytes.Length, size.ValueBytes);
            Assert.Equal(cast.EncodeOwners().Length, size.OwnerBytes);
        }

        var integers = new PackedTensor<sbyte>(layout, new sbyte[layout.ValueCount], packed.Owners, new float[layout.Shape.Outputs]);
        Assert.Equal(integers.ByteCount, PackedSize.Of(layout, DType.Int8, scales: true).TotalBytes);
    }, iter: 200, seed: "0000000000001");

    [Fact]
    public void Targets_of_the_design()
    {
        var layout = new CellLayout(ComplementaryPattern.Parse("1:16"), WeightShape.Matrix(512, 4608));
        Assert.InRange(PackedSize.Of(layout, DType.Float32).Ratio, 14, 14.3); // 32 bits against 32 / 16 + 4 / 16
        Assert.InRange(PackedSize.Of(layout, DType.Int8, scales: true).Ratio, 10, 10.7);
    }

    [Fact]
    public void Casts_Round_AndComeBack()
    {
        var layout = new CellLayout(ComplementaryPattern.Parse("2:4"), WeightShape.Matrix(1, 4));
        PackedTensor<float> packed = Packer.Pack<float>([1.00390625f, 0, -70000, 0], layout);
        var rounded = (PackedTensor<BFloat16>)PackedCast.To(packed, DType.BFloat16);
        Assert.Equal([1, -70144], PackedCast.ToFloat32(rounded).Values);
        Assert.Equal(packed.Owners, rounded.Owners);
        Assert.Equal("The value -70000 is too large for Float16. Keep the layer in Float32 or scale its weights.",
            Assert.Throws<PackingException>(() => PackedCast.To(packed, DType.Float16)).Message);
        Assert.Equal("Values cannot be cast to Int8, expected Float32, Float16 or BFloat16. int8 needs scales: quantize the model.",
            Assert.Throws<PackingException>(() => PackedCast.To(packed, DType.Int8)).Message);
        var integers = Packer.Pack<sbyte>([3, 0, -4, 0], layout, scales: [0.5f]);
        Assert.Equal([1.5f, 0, -2, 0], Packer.Unpack(PackedCast.ToFloat32(integers)));
    }
}
