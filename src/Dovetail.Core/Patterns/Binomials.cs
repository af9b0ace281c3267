using System.Numerics;

namespace Dovetail.Core.Patterns;

/// <summary>
/// Binomial coefficients, exact or as logarithms.
/// 1. log2 of the exact integer for n ≤ 1024.
/// 2. If k or n − k is at most 32: Σ log2((n − k + i) / i), i = 1 … k, at most 32 terms, each within 2^-52 of its size.
/// 3. Otherwise Stirling's series, ln m! = m·ln m − m + ½·ln(2πm) + s(m), s(m) = 1/(12m) − 1/(360m³) + 1/(1260m⁵),
///    whose error lies between 0 and the first term left out, 1/(1680m⁷) &lt; 2·10⁻¹⁴ for m ≥ 33. The large parts combine to
///    −k·log2(k/n) − (n − k)·log2(1 − k/n), so nothing cancels.
/// Source: Robbins, Amer. Math. Monthly 62(1), 1955, for the sign of the error.
/// </summary>
internal static class Binomials
{
    private const int ExactLimit = 1024;
    private const int DirectLimit = 32;

    /// <summary>C(n, k), exact.</summary>
    public static BigInteger Choose(int n, int k)
    {
        Check(n, k);
        BigInteger result = 1;
        k = Math.Min(k, n - k);
        for (int i = 1; i <= k; i++)
            result = result * (n - k + i) / i;
        return result;
    }

    /// <summary>log2 C(n, k), within 10⁻¹² and a relative 10⁻¹⁴ of the truth.</summary>
    public static double Log2Choose(int n, int k)
    {
        Check(n, k);
        k = Math.Min(k, n - k);
        if (k == 0)
            return 0;
        if (n <= ExactLimit)
            return BigInteger.Log(Choose(n, k), 2);
        if (k <= DirectLimit)
        {
            double sum = 0;
            for (int i = 1; i <= k; i++)
                sum += Math.Log2((n - k + (double)i) / i);
            return sum;
        }

        double share = (double)k / n, rest = (double)n - k;
        double large = -k * Math.Log2(share) - rest * double.LogP1(-share) / Math.Log(2);
        return large + 0.5 * Math.Log2(1 / (2 * Math.PI * share * rest)) + (Tail(n) - Tail(k) - Tail(rest)) / Math.Log(2);
    }

    private static double Tail(double m)
    {
        double inverse = 1 / m, square = inverse * inverse;
        return inverse * (1.0 / 12 - square * (1.0 / 360 - square / 1260));
    }

    private static void Check(int n, int k)
    {
        if (n < 0 || k < 0 || k > n)
            throw new PatternException($"C({n}, {k}) was asked for, expected 0 <= k <= n.");
    }
}
