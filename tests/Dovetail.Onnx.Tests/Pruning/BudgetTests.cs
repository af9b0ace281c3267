using Dovetail.Onnx.Pruning;

namespace Dovetail.Onnx.Tests.Pruning;

public sealed class BudgetTests
{
    [Theory]
    [InlineData("8%", 0.08, true)]
    [InlineData("0.0625", 0.0625, true)]
    [InlineData("1", 1, true)]
    [InlineData("100%", 1, true)]
    [InlineData("420", 420, false)]
    [InlineData("1.5M", 1.5e6, false)]
    [InlineData("300k", 3e5, false)]
    [InlineData("0.5k", 500, false)]
    [InlineData("2G", 2e9, false)]
    public void Budgets_are_shares_or_numbers(string text, double value, bool share)
    {
        Budget budget = Budget.Parse(text)!;
        Assert.Equal(value, budget.Value, 1e-12 * value);
        Assert.Equal(share, budget.IsShare);
    }

    [Theory]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("0")]
    [InlineData("-3")]
    [InlineData("101%")]
    [InlineData("1,5M")]
    [InlineData("12 %")]
    [InlineData("1e999")]
    [InlineData("many")]
    public void What_is_no_budget_is_refused(string text) => Assert.Null(Budget.Parse(text));
}
