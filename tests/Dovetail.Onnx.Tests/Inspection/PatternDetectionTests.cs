using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;

namespace Dovetail.Onnx.Tests.Inspection;

public sealed class PatternDetectionTests
{
    [Theory]
    [InlineData("1:16", 64, 64)]
    [InlineData("4:64", 32, 128)]
    [InlineData("1:8/out", 64, 32)]
    [InlineData("2:16@strided", 32, 64)]
    [InlineData("1:16x2", 64, 64)]
    [InlineData("2:4", 16, 40)]
    [InlineData("channel:0.25", 32, 32)]
    public void Pattern_of_a_projected_mask_is_detected(string text, int outputs, int inputs)
    {
        var shape = WeightShape.Matrix(outputs, inputs);
        var pattern = SparsityPattern.Parse(text);
        float[] weights = GaussianWeights.Create(shape.Count, 11);
        bool[] mask = Projection.Project(Array.ConvertAll(weights, w => w * w), pattern, shape);
        Assert.Equal(pattern, PatternDetection.Find(mask, shape));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.25)]
    [InlineData(0.0625)]
    public void Unstructured_and_dense_weights_show_no_pattern(double density)
    {
        var shape = WeightShape.Matrix(256, 256);
        bool[] mask = Projection.Project(
            Array.ConvertAll(GaussianWeights.Create(shape.Count, 2), w => w * w), new UnstructuredPattern(density), shape);
        Assert.Null(PatternDetection.Find(mask, shape));
        Assert.Null(PatternDetection.Find([.. Enumerable.Repeat(true, shape.Count)], shape));
    }
}
