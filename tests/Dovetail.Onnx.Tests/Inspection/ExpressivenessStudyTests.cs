using Dovetail.Core.Patterns;
using Dovetail.Onnx.Inspection;

namespace Dovetail.Onnx.Tests.Inspection;

public sealed class ExpressivenessStudyTests
{
    [Fact]
    public void One_layer_has_the_figures_of_Core()
    {
        WeightEntry entry = ExpressivenessStudy.Gaussian(7);
        StudyResult result = ExpressivenessStudy.Run([entry], [0.9375]);
        Assert.Contains(result.Families, point => point.Pattern == "4:64");
        Assert.Contains(result.Families, point => point.Family == "channel");
        foreach (FamilyPoint point in result.Families)
        {
            SparsityPattern pattern = SparsityPattern.Parse(point.Pattern);
            Assert.Equal(Expressiveness.BitsPerWeight(pattern, entry.Shape), point.BitsPerWeight, 12);
            Assert.Equal(Expressiveness.ShareOfUnstructured(pattern, entry.Shape), point.ShareOfUnstructured, 9);
            Assert.Equal(CapturedEnergy.OnGaussian(pattern, 7), point.CapturedEnergy, 12);
            Assert.Equal(0.9375, point.Sparsity);
        }
    }

    [Fact]
    public void Two_small_layers_are_summed_as_by_hand()
    {
        // 1:2 keeps 9 and 16 of the first, 4 of the second: two cells of two masks each, and one.
        WeightEntry first = Entry("a", [3, 1, -4, 2], 2), second = Entry("b", [2, 0], 1);
        FamilyPoint point = ExpressivenessStudy.Run([first, second], [0.5]).Families.Single(p => p.Pattern == "1:2");
        Assert.Equal((9 + 16 + 4) / (9 + 1 + 16 + 4 + 4.0), point.CapturedEnergy, 12);
        Assert.Equal(3 / 6.0, point.BitsPerWeight, 12);
        Assert.Equal(2, point.Layers);
    }

    [Fact]
    public void Pattern_that_does_not_fit_is_left_out_with_a_note()
    {
        StudyResult result = ExpressivenessStudy.Run([Entry("narrow", [1, 2, 3, 4], 2), Entry("single", [1, 2], 2)], [0.5]);
        Assert.DoesNotContain(result.Families, point => point.Pattern == "2:4");
        Assert.Contains(result.Notes, note => note.Contains("2:4") && note.Contains("narrow"));
        Assert.Contains(result.Notes, note => note.Contains("single"));
    }

    [Theory]
    [InlineData(0.9, "1:10")]
    [InlineData(0.6, "2:5")]
    [InlineData(0.7, "3:10")]
    public void Any_fraction_gets_its_smallest_cell(double sparsity, string expected) =>
        Assert.Equal(expected, ExpressivenessStudy.Patterns(sparsity, [])[0].Pattern.ToString());

    private static WeightEntry Entry(string name, float[] weights, int outputs)
    {
        var shape = WeightShape.Matrix(outputs, weights.Length / outputs);
        return new WeightEntry(name, "matrix", shape, "float32", 4, 4, null, () => weights);
    }
}
