using Dovetail.Accelerator.Config;
using Dovetail.Core.Patterns;

namespace Dovetail.Accelerator.Cost;

/// <summary>
/// Area of a complementary array relative to a dense one of as many PEs.
/// 1. What a PE has in addition, for group g, clusters of n columns and owners shared by v outputs:
///    (g − 1)·8 / v multiplexers of one bit, (g − 1)·8 / n lane register bits, ⌈log2 g⌉ / v owner register
///    bits and, with registered selection, 8 / v operand register bits. Outputs that share owners share
///    the selector too, as long as they share the lanes, so v is at most n.
/// 2. ratio = 1 + <see cref="MultiplexerBit"/> · multiplexers + <see cref="RegisterBit"/> · register bits.
/// 3. The two constants are the least-squares fit to <see cref="Synthesized"/> (share 1, twelve results);
///    its largest error is 0.022. The three results with shared owners, which the fit did not see, are
///    over-estimated by 0.022 to 0.034.
/// 4. A variant that was synthesized returns its own result, any other the model's.
/// Source: 4×4 arrays with int8×int8+int32 MACs built from full adders, synthesized with Yosys to the open
/// 0.18 µm library osu018 before this code was written. An estimate for other libraries and sizes.
/// </summary>
public static class AreaModel
{
    /// <summary>A 2:1 multiplexer of one bit, in dense PEs.</summary>
    internal const double MultiplexerBit = 0.0023141;

    /// <summary>A flip-flop, in dense PEs.</summary>
    internal const double RegisterBit = 0.0060327;

    public const string Source = "estimate from 4×4 arrays synthesized to the open 0.18 µm library osu018 (docs/accelerator.md)";

    /// <summary>The results that the model stands on: area over the dense array's.</summary>
    internal static IReadOnlyList<SynthesisResult> Synthesized { get; } =
    [
        new(2, 1, false, 1, 1.09), new(4, 1, false, 1, 1.22), new(8, 1, false, 1, 1.50), new(16, 1, false, 1, 2.02),
        new(2, 4, false, 1, 1.03), new(4, 4, false, 1, 1.09), new(8, 4, false, 1, 1.23), new(16, 4, false, 1, 1.49),
        new(2, 4, true, 1, 1.07), new(4, 4, true, 1, 1.13), new(8, 4, true, 1, 1.28), new(16, 4, true, 1, 1.53),
        new(4, 4, true, 2, 1.06), new(8, 4, true, 2, 1.16), new(16, 4, true, 2, 1.33),
    ];

    /// <exception cref="AcceleratorException">The array is not weight-stationary or its operands are not 8×8+32 bit.</exception>
    public static AreaEstimate Estimate(ArrayConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validated();
        ComplementaryPattern pattern = config.Pattern;
        if (pattern.Group > 1 && (config.ActivationBits != 8 || config.WeightBits != 8 || config.AccumulatorBits != 32))
            throw new AcceleratorException($"The area of an array of {config.ActivationBits}×{config.WeightBits}+{config.AccumulatorBits} "
                + "bits was asked for; the model knows 8×8+32.");
        int share = Math.Min(pattern.Share, config.ClusterColumns);
        (double select, double lanes, double owners, double operands) = Shares(
            pattern.Group, config.ClusterColumns, config.RegisteredSelection, share);
        SynthesisResult? synthesized = Synthesized.FirstOrDefault(result =>
            result.Group == pattern.Group && result.ClusterColumns == config.ClusterColumns
            && result.RegisteredSelection == config.RegisteredSelection && result.Share == share);
        double ratio = synthesized?.RatioToDense ?? 1 + select + lanes + owners + operands;
        return new AreaEstimate(
            ratio, synthesized is not null, select, lanes, owners, operands,
            ratio * config.PeCount, (double)pattern.Group / pattern.Keep / ratio, Source);
    }

    /// <summary>The model's ratio, also where a synthesis result exists.</summary>
    internal static double ModelledRatio(int group, int clusterColumns, bool registeredSelection, int share)
    {
        (double select, double lanes, double owners, double operands) = Shares(group, clusterColumns, registeredSelection, share);
        return 1 + select + lanes + owners + operands;
    }

    private static (double Select, double Lanes, double Owners, double Operands) Shares(
        int group, int clusterColumns, bool registeredSelection, int share)
    {
        int indexBits = new ComplementaryPattern(1, group).IndexBits;
        return (
            MultiplexerBit * (group - 1) * 8 / share,
            RegisterBit * (group - 1) * 8 / clusterColumns,
            RegisterBit * indexBits / share,
            // Without lanes to select from nothing is selected, and a dense array may register its operand too.
            group > 1 && registeredSelection ? RegisterBit * 8 / share : 0);
    }
}

/// <summary>One synthesized array: keep is 1, so the pattern is 1:<paramref name="Group"/>.</summary>
public sealed record SynthesisResult(int Group, int ClusterColumns, bool RegisteredSelection, int Share, double RatioToDense);
