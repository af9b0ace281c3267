using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Packing;

/// <summary>Every field that a packed tensor refuses. 2:4 on 2×5: a full cell and a tail of one candidate a row.</summary>
public sealed class PackedTensorTests
{
    private static readonly CellLayout Layout = new(ComplementaryPattern.Parse("2:4"), WeightShape.Matrix(2, 5));

    [Fact]
    public void GoodFields_AreTaken()
    {
        var packed = new PackedTensor<sbyte>(Layout, [1, 2, 3, 0, 4, 5, 6, 0], [0, 3, 0, 0, 1, 2, 0, 0], [0.5f, 2]);
        Assert.Equal([1, 0, 0, 2, 3, 0, 4, 5, 0, 6], Packer.Unpack(packed));
        Assert.Equal(DType.Int8, packed.DType);
        Assert.Equal(8 + 2 * 1 + 8, packed.ByteCount);
    }

    [Theory]
    [InlineData(new byte[] { 3, 0, 0, 0, 1, 2, 0, 0 }, "Cell 0, slot 1 has owner 0; expected an owner above 3 and below 4 (owners of a "
        + "cell ascend).")]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 2, 0, 0 }, "Cell 0, slot 1 has owner 0; expected an owner above 0 and below 4 (owners of a "
        + "cell ascend).")]
    [InlineData(new byte[] { 0, 4, 0, 0, 1, 2, 0, 0 }, "Cell 0, slot 1 has owner 4; expected an owner above 0 and below 4 (owners of a "
        + "cell ascend).")]
    [InlineData(new byte[] { 0, 1, 0, 0, 1, 2, 1, 0 }, "Cell 3, slot 0 has owner 1; expected an owner above -1 and below 1 (owners of a "
        + "cell ascend).")]
    [InlineData(new byte[] { 0, 1, 0, 1, 1, 2, 0, 0 }, "Cell 1, slot 1 has owner 1; expected 0, as the slot is padding (owners of a cell "
        + "ascend).")]
    [InlineData(new byte[] { 0, 1 }, "2 owners were given for pattern 2:4 on 2×5, expected 8.")]
    public void BadOwners_AreRefused(byte[] owners, string message) =>
        Assert.Equal(message, Assert.Throws<PackingException>(() => new PackedTensor<float>(Layout, new float[8], owners)).Message);

    /// <summary>Owners that are checked by vectors: one changed anywhere, against the rules in words.</summary>
    [Theory]
    [InlineData("2:4", 3, 200)]
    [InlineData("1:8", 3, 264)]
    [InlineData("4:16", 2, 304)]
    [InlineData("8:16x2", 4, 160)]
    [InlineData("2:8@strided", 2, 296)]
    [InlineData("2:256", 2, 4096)]
    [InlineData("1:256", 1, 20480)]
    [InlineData("2:4/out", 16, 150)]
    [InlineData("2:256/out", 512, 90)]
    public void AnyOwner_OutOfOrder_IsRefused(string text, int outputs, int channels)
    {
        var layout = new CellLayout(ComplementaryPattern.Parse(text), WeightShape.Matrix(outputs, channels));
        (int keep, int group, bool input) = (layout.Pattern.Keep, layout.Pattern.Group, layout.Pattern.Axis == CellAxis.Input);
        int step = input ? 1 : layout.OwnerColumns;
        var random = new Random(5);
        var owners = new byte[layout.OwnerCount];
        for (int i = 0; i < owners.Length; i++)
            owners[i] = (byte)(random.Next(group / keep) + Slot(i) * (group / keep));
        Assert.True(IsGood());
        for (int i = 0; i < owners.Length; i++)
        {
            byte before = owners[i];
            owners[i] = (byte)(
                random.Next(3) switch { 0 => random.Next(256), 1 => Math.Min(group, 255), _ => i >= step ? owners[i - step] : 0 });
            bool good = owners[i] < group
                && (Slot(i) == 0 || owners[i] > owners[i - step]) && (Slot(i) == keep - 1 || owners[i] < owners[i + step]);
            Assert.True(good == IsGood(), $"{text}: owner {i} is {owners[i]}");
            owners[i] = before;
        }

        int Slot(int i) => input ? i % keep : i / layout.OwnerColumns % keep;

        bool IsGood()
        {
            try
            {
                return new PackedTensor<sbyte>(layout, new sbyte[layout.ValueCount], owners) is not null;
            }
            catch (PackingException error)
            {
                Assert.Contains("owners of a cell ascend", error.Message, StringComparison.Ordinal);
                return false;
            }
        }
    }

    [Fact]
    public void OtherBadFields_AreRefused()
    {
        byte[] owners = [0, 3, 0, 0, 1, 2, 0, 0];
        Assert.Equal("7 values were given for pattern 2:4 on 2×5, expected 8.", Message<float>(new float[7], null));
        Assert.Equal("Cell 1, slot 1, row 0 holds 9, expected 0: it is padding.", Message<float>([1, 2, 3, 9, 4, 5, 6, 0], null));
        Assert.Equal("3 scales were given for 2 outputs, expected one an output.", Message<sbyte>(new sbyte[8], new float[3]));
        Assert.Equal(
            "Scales were given for values of type Single; only int8 values have scales.", Message<float>(new float[8], new float[2]));

        string Message<T>(T[] values, float[]? scales)
            where T : unmanaged =>
            Assert.Throws<PackingException>(() => new PackedTensor<T>(Layout, values, owners, scales)).Message;
    }

    [Fact]
    public void RowsThatAShortRunLacks_MustBeZero()
    {
        // output axis, share 2, three outputs: the second run has one row, its second lane is padding
        var layout = new CellLayout(ComplementaryPattern.Parse("1:2x2/out"), WeightShape.Matrix(3, 1));
        Assert.Equal([0, 0, 5], Packer.Unpack(new PackedTensor<float>(layout, [5, 0], [1])));
        Assert.Equal("Cell 0, slot 0, row 1 holds 6, expected 0: it is padding.",
            Assert.Throws<PackingException>(() => new PackedTensor<float>(layout, [5, 6], [1])).Message);
    }
}
