using Dovetail.Rtl.Synthesis;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail rtl</c>.</summary>
/// <param name="Check">Null without <c>--check</c>.</param>
/// <param name="Area">This and all after it: null without <c>--synth</c>.</param>
public sealed record RtlJson(
    IReadOnlyList<string> Files, int Rows, int Cols, string Pattern, string Multiplier, RtlInfo? Check,
    ArrayPairJson? Area, ArrayPairJson? CriticalPathNs, double? ThroughputPerAreaGain,
    ArrayPairJson? ArrayArea, double? ArrayThroughputPerAreaGain, string? Method, string? Library, string? AreaUnit, int Cluster,
    IReadOnlyList<RtlComponentJson>? Components) : VerbResult
{
    /// <summary>With the figures of a synthesis.</summary>
    public RtlJson With(SynthesisComparison synthesis)
    {
        ArgumentNullException.ThrowIfNull(synthesis);
        return this with
        {
            Area = new ArrayPairJson(synthesis.Dense.Area, synthesis.Complementary.Area),
            CriticalPathNs = new ArrayPairJson(synthesis.Dense.CriticalPathNanoseconds, synthesis.Complementary.CriticalPathNanoseconds),
            ThroughputPerAreaGain = synthesis.ThroughputPerAreaGain,
            ArrayArea = new ArrayPairJson(synthesis.Dense.ArrayArea, synthesis.Complementary.ArrayArea),
            ArrayThroughputPerAreaGain = synthesis.ArrayThroughputPerAreaGain,
            Method = synthesis.Method,
            Library = synthesis.Library,
            AreaUnit = synthesis.AreaUnit,
            Components =
            [
                .. synthesis.Components.Select(part => new RtlComponentJson(part.Name, part.Unit, part.Dense, part.Complementary)),
            ],
        };
    }
}

/// <param name="Unit"><c>area</c>, <c>count</c> or <c>bits</c>.</param>
public sealed record RtlComponentJson(string Name, string Unit, double Dense, double Complementary);

public sealed record ArrayPairJson(double Dense, double Complementary);
