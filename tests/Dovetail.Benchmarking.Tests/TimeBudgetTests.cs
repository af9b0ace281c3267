namespace Dovetail.Benchmarking.Tests;

public sealed class TimeBudgetTests
{
    /// <summary>A bound is for all measurements: what the network and the first layers took is not there for the last ones.</summary>
    [Fact]
    public void A_bound_is_shared_out_until_nothing_is_left()
    {
        var clock = new Clock();
        clock.Advance(100);
        var budget = new TimeBudget(10, clock);
        Assert.Equal(5, budget.Share(2, usual: 4));
        clock.Advance(7); // the network and its sessions
        Assert.Equal(1, budget.Share(3, usual: 0.6), 9);
        Assert.Equal(1, budget.Keeping(2).Left, 9);
        clock.Advance(2.5);
        Assert.Equal(0, budget.Keeping(2).Left);
        Assert.Equal(double.PositiveInfinity, TimeBudget.Unbounded.Keeping(2).Left);
        Assert.Equal(0.25, budget.Share(2, usual: 0.6), 9);
        clock.Advance(60);
        Assert.Equal(0, budget.Share(1, usual: 0.6));
        Assert.Equal((0, 0), (budget.Left, budget.LeftShare));
        Assert.True(budget.IsBounded);
        Assert.False(TimeBudget.Unbounded.IsBounded);
        Assert.Equal(double.PositiveInfinity, TimeBudget.Unbounded.Left);
        Assert.Equal(0.6, new TimeBudget(null, clock).Share(3, usual: 0.6));
    }
}
