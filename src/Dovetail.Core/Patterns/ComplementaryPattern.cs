using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Dovetail.Core.Patterns;

/// <summary>
/// A complementary sparsity pattern: of every cell of <see cref="Group"/> candidates exactly
/// <see cref="Keep"/> are non-zero, so that the cell overlays into <see cref="Keep"/> dense slots,
/// each with a value and the index of its owner. Printed as <c>keep:group[xshare][/out][@strided]</c>,
/// e.g. "4:64", "1:8/out", "2:16@strided", "1:16x2". "1:1" is the dense matrix.
/// </summary>
public sealed partial record ComplementaryPattern : SparsityPattern
{
    public const int MaxGroup = 256;
    internal const int MaxShare = 256;

    private const string Grammar =
        "keep:group with 1 <= keep <= group <= 256, then optionally xSHARE, /in or /out, @contiguous or @strided " +
        "(examples: 1:16, 4:64, 1:8/out, 2:16@strided, 1:16x2)";

    public ComplementaryPattern(
        int keep, int group, CellAxis axis = CellAxis.Input,
        Arrangement arrangement = Arrangement.Contiguous, int share = 1)
    {
        if (group is < 1 or > MaxGroup)
            throw new PatternException($"Pattern group is {group}, expected 1 to {MaxGroup}.");
        if (keep < 1 || keep > group)
            throw new PatternException($"Pattern keep is {keep}, expected 1 to the group, {group}.");
        if (share is < 1 or > MaxShare)
            throw new PatternException($"Pattern share is {share}, expected 1 to {MaxShare}.");
        (Keep, Group, Axis, Arrangement, Share) = (keep, group, axis, arrangement, share);
    }

    /// <summary>The dense matrix as a pattern: every candidate is kept.</summary>
    public static ComplementaryPattern Dense { get; } = new(1, 1);

    /// <summary>Non-zeros of a cell, 1 … group.</summary>
    public int Keep { get; }

    /// <summary>Candidates of a cell, 1 … <see cref="MaxGroup"/> (an owner fits a byte).</summary>
    public int Group { get; }

    /// <summary>The direction in which the candidates of a cell lie.</summary>
    public CellAxis Axis { get; }

    /// <summary>Which entries along the axis form a cell.</summary>
    public Arrangement Arrangement { get; }

    /// <summary>How many neighbouring outputs share their owners, ≥ 1.</summary>
    public int Share { get; }

    /// <summary>Share of non-zeros, keep / group.</summary>
    public override double Density => (double)Keep / Group;

    /// <summary>Bits of an owner, ⌈log2 group⌉; 0 for the dense pattern.</summary>
    public int IndexBits => Group == 1 ? 0 : BitOperations.Log2((uint)Group - 1) + 1;

    /// <summary>True where nothing is selected: every candidate of a cell is kept.</summary>
    public bool IsDense => Keep == Group;

    /// <exception cref="PatternException">The text is not a pattern; the message shows the grammar.</exception>
    public static new ComplementaryPattern Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Match match = PatternText().Match(text.Trim());
        if (!match.Success)
            throw new PatternException($"'{text}' is not a pattern; expected {Grammar}.");
        try
        {
            return new ComplementaryPattern(
                ParseInt(match.Groups["keep"].Value),
                ParseInt(match.Groups["group"].Value),
                match.Groups["axis"].Value is "out" or "output" ? CellAxis.Output : CellAxis.Input,
                match.Groups["arrangement"].Value is "strided" ? Arrangement.Strided : Arrangement.Contiguous,
                match.Groups["share"].Success ? ParseInt(match.Groups["share"].Value) : 1);
        }
        catch (Exception error) when (error is PatternException or OverflowException)
        {
            throw new PatternException($"'{text}' is not a pattern: {error.Message} The form is {Grammar}.", error);
        }
    }

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ComplementaryPattern? pattern)
    {
        pattern = null;
        if (text is null)
            return false;
        try
        {
            pattern = Parse(text);
            return true;
        }
        catch (PatternException)
        {
            return false;
        }
    }

    /// <summary>The shortest text that <see cref="Parse"/> reads back as this pattern.</summary>
    public override string ToString() =>
        $"{Keep}:{Group}" +
        (Share > 1 ? $"x{Share}" : "") +
        (Axis == CellAxis.Output ? "/out" : "") +
        (Arrangement == Arrangement.Strided ? "@strided" : "");

    private static int ParseInt(string digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^(?<keep>[0-9]+):(?<group>[0-9]+)(x(?<share>[0-9]+))?(/(?<axis>input|in|output|out))?(@(?<arrangement>contiguous|strided))?$")]
    private static partial Regex PatternText();
}
