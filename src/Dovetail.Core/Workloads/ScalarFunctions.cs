namespace Dovetail.Core.Workloads;

/// <summary>Activation functions in double precision: what kernels approximate and what graphs are compared with.</summary>
public static class ScalarFunctions
{
    /// <summary>1 / (1 + e^−x).</summary>
    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>x / (1 + e^−x).</summary>
    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>x·(1 + erf(x/√2)) / 2.</summary>
    public static double Gelu(double x) => x * (1 + Erf(x / Math.Sqrt(2))) / 2;

    /// <summary>x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2.</summary>
    public static double GeluTanh(double x) => x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;

    /// <summary>
    /// The error function, to some 1e-15.
    /// erf(x) = 2/√π · e^−x² · Σ 2ⁿ·x²ⁿ⁺¹ / (1·3·…·(2n+1)), whose terms are all of one sign; 1 − erf(6) is below 2⁻⁵³.
    /// </summary>
    public static double Erf(double x)
    {
        if (double.IsNaN(x) || Math.Abs(x) > 6)
            return double.IsNaN(x) ? x : Math.Sign(x);
        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > Math.Abs(sum) * 1e-17; n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
