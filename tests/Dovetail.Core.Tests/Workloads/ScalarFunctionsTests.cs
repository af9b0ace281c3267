using Dovetail.Core.Workloads;

namespace Dovetail.Core.Tests.Workloads;

public sealed class ScalarFunctionsTests
{
    // Abramowitz and Stegun, table 7.1.
    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(0.1, 0.1124629160)]
    [InlineData(0.5, 0.5204998778)]
    [InlineData(1.0, 0.8427007929)]
    [InlineData(1.5, 0.9661051465)]
    [InlineData(2.0, 0.9953222650)]
    public void Erf_is_the_tabulated_one(double x, double expected)
    {
        Assert.Equal(expected, ScalarFunctions.Erf(x), 1e-10);
        Assert.Equal(-expected, ScalarFunctions.Erf(-x), 1e-10);
    }

    [Fact]
    public void Erf_is_the_integral_of_its_density()
    {
        double sum = 0;
        const double step = 1e-3;
        for (int i = 1; i <= 7000; i++)
        {
            // Gauss's rule with two points in each step.
            double middle = (i - 0.5) * step, offset = step / 2 / Math.Sqrt(3);
            sum += step / 2 * (Math.Exp(-Math.Pow(middle - offset, 2)) + Math.Exp(-Math.Pow(middle + offset, 2)));
            Assert.Equal(2 / Math.Sqrt(Math.PI) * sum, ScalarFunctions.Erf(i * step), 2e-14);
        }

        Assert.Equal(1, ScalarFunctions.Erf(double.PositiveInfinity));
        Assert.True(double.IsNaN(ScalarFunctions.Erf(double.NaN)));
    }

    [Fact]
    public void Activations_have_their_known_values()
    {
        Assert.Equal(0.5, ScalarFunctions.Sigmoid(0));
        Assert.Equal(1 / (1 + 1 / Math.E), ScalarFunctions.Silu(1), 1e-15);
        Assert.Equal(0.8413447460685429, ScalarFunctions.Gelu(1), 1e-14); // the normal distribution at 1
        Assert.Equal(0.8411919906082768, ScalarFunctions.GeluTanh(1), 1e-14);
    }
}
