using Dovetail.Cli.Commands.Run;
using Dovetail.Cli.Reports.Results;
using Dovetail.Data.Tensors;

namespace Dovetail.Cli.Tests.Commands;

public sealed class TopClassesTests
{
    [Fact]
    public void The_greatest_come_first_and_softmax_sums_to_one()
    {
        const int Inputs = 7, Classes = 13;
        var random = new Random(3);
        float[] values = [.. Enumerable.Range(0, Inputs * Classes).Select(_ => (float)(random.NextDouble() * 20 - 10))];
        var ranking = TopClasses.Of(new FileTensor(values, [Inputs, Classes]), Classes, []);
        for (int row = 0; row < Inputs; row++)
        {
            float[] outputs = values[(row * Classes)..((row + 1) * Classes)];
            Assert.Equal(Enumerable.Range(0, Classes).OrderByDescending(c => outputs[c]), ranking[row].Select(score => score.Class));
            double total = outputs.Sum(value => Math.Exp(value));
            foreach (ClassScore score in ranking[row])
                Assert.Equal(Math.Exp(outputs[score.Class]) / total, score.Probability, 1e-9);
        }
    }

    [Fact]
    public void Probabilities_stay_and_labels_are_named()
    {
        var scores = Assert.Single(TopClasses.Of(new FileTensor(new[] { 0.25f, 0.5f, 0.25f }, [1, 3]), 2, ["cat", "dog", "eel"]));
        Assert.Equal([("dog", 0.5), ("cat", 0.25)], scores.Select(score => (score.Label, score.Probability))); // a tie: the lower class
        Assert.Contains(
            "2 lines, and the model 3 classes", Assert.Throws<TensorFileException>(
                () => TopClasses.Of(new FileTensor(new float[3], [1, 3]), 1, ["a", "b"])).Message);
    }
}
