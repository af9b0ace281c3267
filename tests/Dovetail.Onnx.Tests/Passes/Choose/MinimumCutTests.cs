using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Onnx.Tests.Passes.Choose;

/// <summary>The cut costs what the best of all assignments costs.</summary>
public sealed class MinimumCutTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 6)]
    [InlineData(4, 9)]
    [InlineData(5, 12)]
    public void No_assignment_is_cheaper(int seed, int vertices)
    {
        var random = new Random(seed);
        for (int trial = 0; trial < 40; trial++)
        {
            (double Source, double Sink)[] costs = [.. Enumerable.Range(0, vertices).Select(_ => (Cost(), Cost()))];
            (int A, int B, double Cost)[] links = [.. Enumerable.Range(0, vertices > 1 ? 2 * vertices : 0)
                .Select(_ => (random.Next(vertices), random.Next(vertices), Cost())).Where(link => link.Item1 != link.Item2)];
            var cut = new MinimumCut(vertices);
            for (int i = 0; i < vertices; i++)
                cut.AddCosts(i, costs[i].Source, costs[i].Sink);
            foreach ((int a, int b, double cost) in links)
                cut.AddLink(a, b, cost);
            double least = Enumerable.Range(0, 1 << vertices)
                .Min(mask => Total([.. Enumerable.Range(0, vertices).Select(i => (mask >> i & 1) != 0)]));
            Assert.Equal(least, Total(cut.Cut()), 1e-6);

            double Total(bool[] onSource) =>
                costs.Select((cost, i) => onSource[i] ? cost.Source : cost.Sink).Sum() + links.Where(
                    link => onSource[link.A] != onSource[link.B]).Sum(link => link.Cost);
        }

        double Cost() => random.Next(4) == 0 ? 0 : random.NextDouble() * 10;
    }
}
