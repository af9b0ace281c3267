using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

public sealed class WeightShapeTests
{
    [Fact]
    public void MatrixOrder_PutsChannelsInnermost()
    {
        var shape = new WeightShape([2, 3, 1, 2]);
        int[] tensor = [.. Enumerable.Range(0, 12)], matrix = new int[12];
        shape.ToMatrixOrder<int>(tensor, matrix);
        Assert.Equal([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11], matrix);
    }

    [Fact]
    public void Orders_AreInverse_AndFollowTheIndices() => Gens.Shape.Sample(shape =>
    {
        int[] tensor = [.. Enumerable.Range(0, shape.Count)], matrix = new int[shape.Count], back = new int[shape.Count];
        shape.ToMatrixOrder<int>(tensor, matrix);
        shape.ToTensorOrder<int>(matrix, back);
        Assert.Equal(tensor, back);
        for (int m = 0; m < shape.Outputs; m++)
            for (int c = 0; c < shape.Channels; c++)
                for (int t = 0; t < shape.Taps; t++)
                    Assert.Equal(tensor[(m * shape.Channels + c) * shape.Taps + t], matrix[m * shape.Inputs + t * shape.Channels + c]);
    }, iter: 200, seed: "0000000000001");

    [Fact]
    public void Equality_IsByDimensionsAndGroups()
    {
        Assert.Equal(new WeightShape([4, 2, 3, 3], 2), new WeightShape([4, 2, 3, 3], 2));
        Assert.NotEqual(new WeightShape([4, 2, 3, 3], 2), new WeightShape([4, 2, 3, 3]));
        Assert.NotEqual(new WeightShape([4, 2, 9]), new WeightShape([4, 2, 3, 3]));
        Assert.Equal("4×2×3×3 in 2 groups", new WeightShape([4, 2, 3, 3], 2).ToString());
        Assert.Equal("4×2", WeightShape.Matrix(4, 2).ToString());
    }

    [Theory]
    [InlineData(new[] { 4 }, 1, "A weight has rank 1, expected at least 2: [outputs, inputs, spatial…].")]
    [InlineData(new[] { 4, 0 }, 1, "A weight has the dimensions [4, 0], expected each to be at least 1.")]
    [InlineData(new[] { 4, -1, 3 }, 1, "A weight has the dimensions [4, -1, 3], expected each to be at least 1.")]
    [InlineData(new[] { 65536, 65536 }, 1, "A weight of the dimensions [65536, 65536] has more elements than one tensor may hold here, "
        + "2147483591.")]
    [InlineData(new[] { int.MaxValue, int.MaxValue, int.MaxValue }, 1, "A weight of the dimensions [2147483647, 2147483647, 2147483647] "
        + "has more elements than one tensor may hold here, 2147483591.")]
    [InlineData(new[] { 4, 2 }, 3, "A weight of 4 outputs does not divide into 3 convolution groups.")]
    [InlineData(new[] { 4, 2 }, 0, "A weight of 4 outputs does not divide into 0 convolution groups.")]
    public void BadShapes_AreRefused(int[] dimensions, int groups, string message) =>
        Assert.Equal(message, Assert.Throws<PatternException>(() => new WeightShape(dimensions, groups)).Message);

    [Fact]
    public void WrongBuffers_AreRefused() =>
        Assert.Equal("Buffers of 5 and 6 elements do not hold weights of shape 2×3, expected 6.",
            Assert.Throws<PatternException>(() => WeightShape.Matrix(2, 3).ToMatrixOrder<int>(new int[5], new int[6])).Message);
}
