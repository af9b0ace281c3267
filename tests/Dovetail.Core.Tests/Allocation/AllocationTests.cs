using CsCheck;
using Dovetail.Core.Allocation;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Tests.Allocation;

public sealed class AllocationTests
{
    private static readonly Gen<LayerChoice> Choice = Gen.Select(
        Gen.Long[0, 30], Gen.OneOf(Gen.Double[0, 10], Gen.Int[-3, 3].Select(score => (double)score)))
        .Select((cost, score) => new LayerChoice(ComplementaryPattern.Dense, cost, score));

    /// <summary>All allocations of up to six layers: none within the budget scores more.</summary>
    [Fact]
    public void Optimizer_IsExact_ByTryingAll() =>
        Gen.Select(Choice.Array[1, 5].Array[1, 6], Gen.Long[0, 120]).Sample((choices, budget) =>
        {
            LayerChoices[] layers = [.. choices.Select((layer, i) => new LayerChoices($"l{i}", layer))];
            double best = double.NegativeInfinity;
            void Try(int layer, long cost, double score)
            {
                if (cost > budget)
                    return;
                if (layer == choices.Length)
                {
                    best = Math.Max(best, score);
                    return;
                }

                foreach (LayerChoice choice in choices[layer])
                    Try(layer + 1, cost + choice.Cost, score + choice.Score);
            }

            Try(0, 0, 0);
            if (double.IsNegativeInfinity(best))
            {
                Assert.Throws<DovetailException>(() => BudgetOptimizer.Optimize(layers, budget));
                return;
            }

            AllocationResult result = BudgetOptimizer.Optimize(layers, budget);
            Assert.Equal(best, result.Score, 9);
            Assert.True(result.IsOptimal);
            Assert.InRange(result.Cost, 0, budget);
            Assert.Equal(result.Choices.Sum(choice => choice.Cost), result.Cost);
            Assert.Equal(result.Choices.Sum(choice => choice.Score), result.Score, 9);
            Assert.All(result.Choices.Zip(choices), pair => Assert.Contains(pair.First, pair.Second));

            AllocationResult limited = BudgetOptimizer.Optimize(layers, budget, stateLimit: 1);
            Assert.InRange(limited.Score, double.NegativeInfinity, best + 1e-9);
            Assert.InRange(best, double.NegativeInfinity, limited.UpperBound + 1e-9);
            Assert.True(!limited.IsOptimal || limited.Score >= best - 1e-9);
        }, iter: 2000, seed: "0000000000001");

    /// <summary>A network of 54 layers, as ResNet-50 has, and 12 patterns each: solved exactly.</summary>
    [Fact]
    public void Optimizer_SolvesANetwork()
    {
        var random = new Random(3);
        LayerChoices[] layers = [.. Enumerable.Range(0, 54).Select(i =>
        {
            long weights = 4096L << random.Next(9);
            double importance = random.NextDouble() + 0.1;
            return new LayerChoices($"l{i}", [.. Enumerable.Range(0, 12).Select(j =>
                new LayerChoice(
                    new ComplementaryPattern(1, 1 << Math.Min(j, 8)), weights >> j, importance * (1 - Math.Exp(-3.0 / (1 + j)))))]);
        })];
        AllocationResult result = BudgetOptimizer.Optimize(layers, layers.Sum(layer => layer.Choices[0].Cost) / 16);
        Assert.True(result.IsOptimal);
        Assert.Equal(result.Score, result.UpperBound);
    }

    [Fact]
    public void WhatCannotBe_IsSaid()
    {
        static string Message(LayerChoices[] layers, long budget) =>
            Assert.Throws<DovetailException>(() => BudgetOptimizer.Optimize(layers, budget)).Message;
        Assert.Equal("The cheapest patterns of all 1 layers cost 5, and the budget is 4. Allow sparser patterns or a larger budget.",
            Message([new("a", [new(ComplementaryPattern.Dense, 5, 1)])], 4));
        Assert.Equal("Layer 'a' has no patterns to choose from; give at least the dense one, 1:1.", Message([new("a", [])], 4));
        Assert.Equal("Layer 'a', pattern 1:1 has the score NaN and the cost 1, expected a finite score and a cost of at least 0.",
            Message([new("a", [new(ComplementaryPattern.Dense, 1, double.NaN)])], 4));
    }

    [Fact]
    public void Erk_MeetsTheGlobalDensity() =>
        Gen.Select(Gens.Shape.Array[1, 10], Gen.Double[0.01, 1]).Sample((shapes, density) =>
        {
            double[] densities = ErdosRenyiKernel.Densities(shapes, density);
            Assert.All(densities, value => Assert.InRange(value, 0, 1));
            Assert.Equal(
                density * shapes.Sum(shape => (double)shape.Count), shapes.Zip(densities).Sum(pair => pair.First.Count * pair.Second), 6);
            // among layers that are not dense the density is proportional to Σ dimensions / Π dimensions
            double[] epsilons = [.. shapes.Zip(densities).Where(pair => pair.Second < 1 - 1e-12)
                .Select(pair => pair.Second * pair.First.Count / pair.First.Dimensions.Sum())];
            Assert.All(epsilons, epsilon => Assert.Equal(epsilons[0], epsilon, 9));
        }, iter: 500, seed: "0000000000002");

    [Fact]
    public void Erk_OfTwoLayers()
    {
        // 10×10: 20/100 = 0.2; 100×100: 200/10000 = 0.02. ε·(20 + 200) = 0.05·10100: ε = 2.295…
        double[] densities = ErdosRenyiKernel.Densities([WeightShape.Matrix(10, 10), WeightShape.Matrix(100, 100)], 0.05);
        Assert.Equal(0.2 * 505 / 220, densities[0], 12);
        Assert.Equal(0.02 * 505 / 220, densities[1], 12);
        Assert.Equal(
            ["1:4", "1:32"],
            ErdosRenyiKernel.Round(densities, [.. ((string[])["1:1", "1:4", "1:32", "1:16"]).Select(ComplementaryPattern.Parse)])
            .Select(pattern => pattern.ToString()));
    }

    private static readonly ComplementaryPattern[] Patterns = [
        .. ((string[])["1:1", "1:2", "2:4", "1:4", "1:8", "1:16"]).Select(ComplementaryPattern.Parse)];

    private static readonly Gen<LayerChoices[]> Layers =
        Gen.Select(Gen.Int[1, 63], Gen.Long[1, 30], Gen.Double[0, 10]).Array[1, 5]
            .Select(layers => layers.Select((layer, i) => new LayerChoices($"l{i}",
            [.. Patterns.Where((_, p) => (layer.Item1 >> p & 1) != 0)
                .Select((pattern, p) =>
                new LayerChoice(pattern, (long)(layer.Item2 * 16 * pattern.Density), layer.Item3 * (1 + (p * 7 % 5))))])).ToArray());

    /// <summary>Of all patterns by hand: the best that fits the budget.</summary>
    [Fact]
    public void Uniform_IsTheBestOfOnePattern() =>
        Gen.Select(Layers, Gen.Long[0, 1500]).Sample((layers, budget) =>
        {
            double best = double.NegativeInfinity;
            foreach (ComplementaryPattern pattern in Patterns.Where(
                pattern => layers.Any(layer => layer.Choices.Any(choice => choice.Pattern == pattern))))
            {
                (long cost, double score) = (0, 0);
                foreach (LayerChoices layer in layers)
                {
                    LayerChoice taken = layer.Choices.SingleOrDefault(choice => choice.Pattern == pattern)
                        ?? layer.Choices.OrderByDescending(choice => choice.Pattern.Density).First();
                    (cost, score) = (cost + taken.Cost, score + taken.Score);
                }

                if (cost <= budget)
                    best = Math.Max(best, score);
            }

            if (double.IsNegativeInfinity(best))
            {
                Assert.Contains(
                    "The cheapest uniform pattern costs", Assert.Throws<DovetailException>(
                        () => UniformAllocation.Choose(layers, budget)).Message);
                return;
            }

            AllocationResult result = UniformAllocation.Choose(layers, budget);
            Assert.Equal(best, result.Score, 9);
            Assert.InRange(result.Cost, 0, budget);
            AllocationResult optimal = BudgetOptimizer.Optimize(layers, budget);
            Assert.InRange(result.Score, double.NegativeInfinity, optimal.Score + 1e-9);
            Assert.InRange(optimal.Score, double.NegativeInfinity, result.UpperBound + 1e-9);
        }, iter: 1000, seed: "0000000000003");

    /// <summary>No global density of a fine grid gives choices within the budget that keep more weights.</summary>
    [Fact]
    public void ErkWithinABudget_IsTheDensest() =>
        Gen.Select(Gens.Shape.Array[1, 5], Gen.Int[1, 100]).Sample((shapes, percent) =>
        {
            LayerChoices[] layers = [
                .. shapes.Select(
                    (shape, i) =>
                    new LayerChoices(
                        $"l{i}", [.. Patterns.Select(
                            pattern => new LayerChoice(pattern, (long)(16 * shape.Count * pattern.Density), 1))]))];
            long budget = shapes.Sum(shape => 16L * shape.Count) * percent / 100;
            if (layers.Sum(layer => layer.Choices.Min(choice => choice.Cost)) > budget)
            {
                Assert.Contains(
                    "The sparsest patterns of all", Assert.Throws<DovetailException>(
                        () => ErdosRenyiKernel.Choose(layers, shapes, budget)).Message);
                return;
            }

            AllocationResult result = ErdosRenyiKernel.Choose(layers, shapes, budget);
            Assert.InRange(result.Cost, 0, budget);
            for (int grid = 1; grid <= 200; grid++)
            {
                ComplementaryPattern[] rounded = ErdosRenyiKernel.Round(ErdosRenyiKernel.Densities(shapes, grid / 200.0), Patterns);
                long cost = rounded.Zip(shapes).Sum(pair => (long)(16 * pair.Second.Count * pair.First.Density));
                Assert.True(cost > budget || cost <= result.Cost, $"density {grid / 200.0} costs {cost}, found {result.Cost}, budget "
                    + $"{budget}");
            }
        }, iter: 200, seed: "0000000000004");
}
