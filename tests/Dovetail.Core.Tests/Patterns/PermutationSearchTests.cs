using CsCheck;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Patterns;

public sealed class PermutationSearchTests
{
    /// <summary>The order is one, stays in its convolution groups, and the scores told are those of the projections.</summary>
    [Fact]
    public void Orders_AreValid_AndScoresAreTrue() =>
        Gen.Select(Gens.Layout, Gen.Int[0, int.MaxValue], Gen.Long[0, 500]).Sample((layout, seed, evaluations) =>
    {
        float[] scores = Array.ConvertAll(SyntheticWeights.Gaussian(layout.Shape.Count, seed), MathF.Abs);
        PermutationResult result = PermutationSearch.Search(scores, layout, new PermutationOptions(evaluations, seed));
        bool input = layout.Pattern.Axis == CellAxis.Input;
        int perGroup = input ? layout.Shape.Channels : layout.Shape.OutputsPerGroup;
        Assert.Equal(Enumerable.Range(0, perGroup * layout.Shape.Groups), result.Order.Order());
        Assert.All(result.Order.Select((entry, position) => (entry, position)), pair =>
            Assert.Equal(pair.position / perGroup, pair.entry / perGroup));
        Assert.Equal(Captured(scores, layout), result.ScoreBefore, Tolerance(result));
        Assert.Equal(Captured(result.Apply<float>(scores, layout), layout), result.ScoreAfter, Tolerance(result));
        Assert.True(result.ScoreAfter >= result.ScoreBefore);
        Assert.InRange(result.Evaluations, 0, evaluations + layout.Shape.Groups);
        Assert.Equal(result.Progress.Select(step => step.Score).Order(), result.Progress.Select(step => step.Score));
    }, iter: 200, seed: "0000000000001");

    /// <summary>Where the search ends by itself, no exchange of two inputs gains anything.</summary>
    [Theory]
    [InlineData("1:4")]
    [InlineData("2:4@strided")]
    [InlineData("1:3/out")]
    public void WithoutBound_TheOrderIsALocalOptimum(string pattern)
    {
        var layout = new CellLayout(ComplementaryPattern.Parse(pattern), WeightShape.Matrix(10, 11));
        float[] scores = Array.ConvertAll(SyntheticWeights.Gaussian(110, 5), MathF.Abs);
        PermutationResult result = PermutationSearch.Search(scores, layout, new PermutationOptions(1_000_000));
        Assert.True(result.IsLocalOptimum);
        Assert.True(result.Gain > 0.01, $"gain {result.Gain}");
        for (int a = 0; a < result.Order.Length; a++)
            for (int b = 0; b < a; b++)
            {
                int[] exchanged = [.. result.Order];
                (exchanged[a], exchanged[b]) = (exchanged[b], exchanged[a]);
                Assert.True(
                    Captured((result with { Order = exchanged }).Apply<float>(scores, layout), layout) <= result.ScoreAfter * (1 + 1e-6));
            }
    }

    /// <summary>Four great inputs side by side in one cell of 1:4: the best order spreads them and captures all of them.</summary>
    [Fact]
    public void CrowdedInputs_AreSpread()
    {
        var layout = new CellLayout(NmPattern.Of(1, 4), WeightShape.Matrix(3, 16));
        float[] scores = [.. Enumerable.Range(0, 48).Select(i => i % 16 < 4 ? 10f : 0.1f)];
        PermutationResult result = PermutationSearch.Search(scores, layout);
        Assert.Equal(3 * (10 + 3 * 0.1), result.ScoreBefore, 4);
        Assert.Equal(3 * 40, result.ScoreAfter, 4);
    }

    [Fact]
    public void WithoutTime_TheOrderStays()
    {
        var layout = new CellLayout(NmPattern.Of(1, 4), WeightShape.Matrix(3, 16));
        float[] scores = [.. Enumerable.Range(0, 48).Select(i => i % 16 < 4 ? 10f : 0.1f)];
        PermutationResult none = PermutationSearch.Search(scores, layout, new PermutationOptions(TimeLimit: TimeSpan.Zero));
        Assert.Equal(Enumerable.Range(0, 16), none.Order);
        Assert.False(none.IsLocalOptimum);
        Assert.True(PermutationSearch.Search(scores, layout, new PermutationOptions(TimeLimit: TimeSpan.FromDays(1))).IsLocalOptimum);
    }

    [Fact]
    public void InfiniteScores_AreRefused() =>
        Assert.Equal(
            "The score of weight [0, 3] is -Infinity; expected finite numbers.".Replace("-Infinity", float.NegativeInfinity.ToString()),
            Assert.Throws<PatternException>(
                () => PermutationSearch.Search(
                    [1, 2, 3, float.NegativeInfinity], new CellLayout(NmPattern.Of(1, 4), WeightShape.Matrix(1, 4)))).Message);

    private static double Tolerance(PermutationResult result) => 1e-5 * Math.Max(1, result.ScoreAfter);

    private static double Captured(float[] scores, CellLayout layout)
    {
        bool[] mask = Projection.Project(scores, layout);
        return scores.Where((_, i) => mask[i]).Sum(score => (double)score);
    }
}
