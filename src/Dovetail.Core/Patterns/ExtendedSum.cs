using System.Numerics;

namespace Dovetail.Core.Patterns;

/// <summary>
/// A sum of floats with a bound of its error, among which infinities may stand.
/// 1. What counts first is how many more +∞ than −∞ there are, then the sum of the others. Ordered so, sums
///    still add up, and taking the greatest stays optimal; ∞ − ∞ never happens.
/// 2. The finite part is a double. Each addition's rounding error is computed (Knuth's TwoSum); if all are zero, as
///    is usual for a few weights of like size, the sum is exact. If not, its error is below
///    n·2^-52·Σ|x| (recursive summation: (n − 1)·2^-53·Σ|x| to first order).
/// 3. Where the bounds leave the order of two sums open, <see cref="Exact"/> decides.
/// </summary>
internal struct ExtendedSum
{
    private const double DoubleEpsilon = 1.0 / (1L << 52);

    private double _magnitude;
    private int _count;
    private bool _inexact;

    /// <summary>Count of +∞ less count of −∞.</summary>
    internal int Infinities { get; private set; }

    internal double Finite { get; private set; }

    /// <summary>Greatest distance of <see cref="Finite"/> from the true sum; 0 where it is exact.</summary>
    internal readonly double Bound => _inexact ? _count * _magnitude * DoubleEpsilon : 0;

    internal void Add(float value)
    {
        if (float.IsInfinity(value))
        {
            Infinities += Math.Sign(value);
            return;
        }

        double sum = Finite + value, added = sum - Finite;
        _inexact |= Finite - (sum - added) + (value - added) != 0;
        Finite = sum;
        _magnitude += Math.Abs(value);
        _count++;
    }

    /// <summary>A finite float as an integer multiple of 2^-149.</summary>
    internal static BigInteger Exact(float value)
    {
        int bits = BitConverter.SingleToInt32Bits(value), exponent = bits >> 23 & 0xFF, fraction = bits & 0x7FFFFF;
        BigInteger magnitude = exponent == 0 ? fraction : (BigInteger)(fraction | 0x800000) << (exponent - 1);
        return bits < 0 ? -magnitude : magnitude;
    }

    /// <summary>True where the bounds, or infinities, leave it open that each selected sum is at least each other.</summary>
    internal static bool IsOpen(ReadOnlySpan<ExtendedSum> sums, ReadOnlySpan<ulong> selected)
    {
        (double bounded, double exact) least = (double.PositiveInfinity, double.PositiveInfinity);
        (double bounded, double exact) greatest = (double.NegativeInfinity, double.NegativeInfinity);
        for (int i = 0; i < sums.Length; i++)
        {
            if (sums[i].Infinities != 0)
                return true;
            (double finite, double bound) = (sums[i].Finite, sums[i].Bound);
            if ((selected[i >> 6] >> i & 1) != 0)
                least = bound > 0 ? (Math.Min(least.bounded, finite - bound), least.exact) : (least.bounded, Math.Min(least.exact, finite));
            else
                greatest = bound > 0
                    ? (Math.Max(greatest.bounded, finite + bound), greatest.exact)
                    : (greatest.bounded, Math.Max(greatest.exact, finite));
        }

        return least.bounded <= Math.Max(greatest.bounded, greatest.exact) || least.exact <= greatest.bounded;
    }
}

/// <summary>The same sum without any error.</summary>
internal struct ExactSum : IComparable<ExactSum>
{
    private int _infinities;
    private BigInteger _finite;

    internal void Add(float value)
    {
        if (float.IsInfinity(value))
            _infinities += Math.Sign(value);
        else
            _finite += ExtendedSum.Exact(value);
    }

    public readonly int CompareTo(ExactSum other) => _infinities != other._infinities
        ? _infinities.CompareTo(other._infinities)
        : _finite.CompareTo(other._finite);

    /// <summary>Marks the greatest, ties to the lower index.</summary>
    internal static void Select(ExactSum[] sums, int keep, Span<ulong> selected)
    {
        int[] order = [.. Enumerable.Range(0, sums.Length)];
        Array.Sort(order, (a, b) => sums[b].CompareTo(sums[a]) is var difference && difference != 0 ? difference : a.CompareTo(b));
        selected.Clear();
        foreach (int index in order.AsSpan(0, keep))
            selected[index >> 6] |= 1UL << index;
    }
}
