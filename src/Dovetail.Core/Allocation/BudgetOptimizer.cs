namespace Dovetail.Core.Allocation;

/// <summary>
/// Chooses one pattern a layer so that the total score is greatest and the total cost is within a budget: the
/// multiple-choice knapsack, solved exactly.
/// 1. A choice that another of its layer beats in cost and score is never taken.
/// 2. For a price λ per unit of cost each layer alone takes its best score − λ·cost. The sum plus λ·budget bounds every
///    allocation from above, for any λ ≥ 0; bisection on λ finds the least such bound and an allocation within the budget.
/// 3. Dynamic programming over the layers keeps the partial allocations that no other beats in cost and score. One whose
///    score plus the bound of the layers to come (2, at the λ found) does not exceed the best known allocation is dropped.
///    What is left in the end holds the optimum.
/// 4. Should more than <c>stateLimit</c> partial allocations survive, the least promising are dropped and the result says
///    so: <see cref="AllocationResult.IsOptimal"/> is then false unless the bound is met.
/// Source: Sinha and Zoltners, Operations Research 27(3), 1979, for the dominance and the bound.
/// </summary>
public static class BudgetOptimizer
{
    /// <exception cref="DovetailException">A layer has no choice, a number is not finite, or even the cheapest choices exceed the
    /// budget.</exception>
    public static AllocationResult Optimize(IReadOnlyList<LayerChoices> layers, long budget, int stateLimit = 1_000_000)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentOutOfRangeException.ThrowIfLessThan(stateLimit, 1);
        LayerChoice[][] choices = [.. layers.Select(Undominated)];
        long cheapest = choices.Sum(layer => layer[0].Cost);
        if (cheapest > budget)
            throw new DovetailException($"The cheapest patterns of all {layers.Count} layers cost {cheapest}, and the budget is {budget}. "
                + "Allow sparser patterns or a larger budget.");

        (double price, LayerChoice[] best) = FindPrice(choices, budget);
        double[] rest = RestBounds(choices, price);
        double bestScore = best.Sum(choice => choice.Score), bound = rest[0] + price * budget;
        bool complete = true;
        List<State> states = [new(0, 0, null, null)];
        for (int i = 0; i < choices.Length; i++)
        {
            states = Extend(states, choices[i], budget - choices.Skip(i + 1).Sum(layer => layer[0].Cost));
            // a rounding error of the bound must not drop the optimum
            double slack = 1e-12 * (Math.Abs(bound) + Math.Abs(bestScore));
            states.RemoveAll(state => state.Score + rest[i + 1] + price * (budget - state.Cost) < bestScore - slack);
            if (states.Count > stateLimit)
            {
                complete = false;
                states = [.. states.OrderByDescending(state => state.Score - price * state.Cost).Take(stateLimit)
                    .OrderBy(state => state.Cost)];
            }
        }

        if (states.MaxBy(state => state.Score) is { } found && found.Score > bestScore)
            (best, bestScore) = (found.Path(choices.Length), found.Score);
        return new AllocationResult(
            best, best.Sum(choice => choice.Cost), bestScore, complete ? bestScore : Math.Max(bound, bestScore), complete
            || bound <= bestScore);
    }

    private static LayerChoice[] Undominated(LayerChoices layer)
    {
        if (layer.Choices.Count == 0)
            throw new DovetailException($"Layer '{layer.Layer}' has no patterns to choose from; give at least the dense one, 1:1.");
        if (layer.Choices.FirstOrDefault(choice => !double.IsFinite(choice.Score) || choice.Cost < 0) is { } bad)
            throw new DovetailException($"Layer '{layer.Layer}', pattern {bad.Pattern} has the score {bad.Score} and the cost {bad.Cost}, "
                + "expected a finite score and a cost of at least 0.");
        var kept = new List<LayerChoice>();
        foreach (LayerChoice choice in layer.Choices.OrderBy(choice => choice.Cost).ThenByDescending(choice => choice.Score))
            if (kept.Count == 0 || choice.Score > kept[^1].Score)
                kept.Add(choice);
        return [.. kept];
    }

    /// <summary>The price at which the layers' own best choices just fit the budget, and these choices.</summary>
    private static (double Price, LayerChoice[] Feasible) FindPrice(LayerChoice[][] choices, long budget)
    {
        LayerChoice[] At(double price) => [.. choices.Select(layer => layer.MaxBy(choice => choice.Score - price * choice.Cost)!)];

        LayerChoice[] free = At(0);
        if (free.Sum(choice => choice.Cost) <= budget)
            return (0, free);
        LayerChoice[] feasible = [.. choices.Select(layer => layer[0])];
        double low = 0, high = 1;
        while (At(high).Sum(choice => choice.Cost) > budget && high < 1e300)
            high *= 2;
        for (int step = 0; step < 200 && low < high; step++)
        {
            double middle = low + (high - low) / 2;
            LayerChoice[] candidate = At(middle);
            if (candidate.Sum(choice => choice.Cost) > budget)
            {
                low = middle;
                continue;
            }

            high = middle;
            if (candidate.Sum(choice => choice.Score) > feasible.Sum(choice => choice.Score))
                feasible = candidate;
        }

        return (high, feasible);
    }

    /// <summary>[i] = Σ over layers i … of the greatest score − price·cost.</summary>
    private static double[] RestBounds(LayerChoice[][] choices, double price)
    {
        var rest = new double[choices.Length + 1];
        for (int i = choices.Length - 1; i >= 0; i--)
            rest[i] = rest[i + 1] + choices[i].Max(choice => choice.Score - price * choice.Cost);
        return rest;
    }

    /// <summary>Each state with each choice, sorted by cost, without what another beats.</summary>
    private static List<State> Extend(List<State> states, LayerChoice[] choices, long limit)
    {
        var all = new List<State>(states.Count * choices.Length);
        foreach (LayerChoice choice in choices)
            foreach (State state in states)
                if (state.Cost <= limit - choice.Cost)
                    all.Add(new State(state.Cost + choice.Cost, state.Score + choice.Score, state, choice));
        all.Sort((a, b) => a.Cost != b.Cost ? a.Cost.CompareTo(b.Cost) : b.Score.CompareTo(a.Score));
        var kept = new List<State>();
        foreach (State state in all)
            if (kept.Count == 0 || state.Score > kept[^1].Score)
                kept.Add(state);
        return kept;
    }

    private sealed record State(long Cost, double Score, State? Before, LayerChoice? Choice)
    {
        internal LayerChoice[] Path(int length)
        {
            var path = new LayerChoice[length];
            State? state = this;
            for (int i = length - 1; i >= 0; i--, state = state!.Before)
                path[i] = state!.Choice!;
            return path;
        }
    }
}
