namespace Dovetail.Core.Patterns;

/// <summary>
/// N:M sparsity, of every M neighbours along the inputs at most N are non-zero, is no pattern of its own:
/// it is the complementary pattern with contiguous cells on the input axis and no sharing.
/// </summary>
public static class NmPattern
{
    /// <exception cref="PatternException">Not 1 ≤ n ≤ m ≤ 256.</exception>
    public static ComplementaryPattern Of(int n, int m) => new(n, m);

    /// <summary>True for a pattern that hardware or libraries for N:M can take as it is.</summary>
    public static bool IsNm(SparsityPattern pattern) => pattern is ComplementaryPattern
    {
        Axis: CellAxis.Input,
        Arrangement: Arrangement.Contiguous,
        Share: 1,
    };
}
