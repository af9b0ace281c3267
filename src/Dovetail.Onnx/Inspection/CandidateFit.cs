using System.Text.Json.Serialization;
using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Inspection;

/// <summary>How well weights fit a pattern; the figures are null where the pattern does not fit the shape.</summary>
/// <param name="CapturedEnergy">Share of Σw² that the best mask of the pattern keeps.</param>
/// <param name="ShareOfUnstructured">The same over what as many weights, chosen freely, would keep.</param>
/// <param name="Satisfies">Whether all non-zeros lie inside one mask of the pattern.</param>
public sealed record CandidateFit(
    string Pattern, string? ReasonAgainst, double? CapturedEnergy, double? ShareOfUnstructured, bool? Satisfies)
{
    /// <summary>Non-zeros that a mask has.</summary>
    [JsonIgnore]
    public double Places { get; private init; }

    [JsonIgnore]
    public double Log2Masks { get; private init; }

    public static CandidateFit Of(SparsityPattern pattern, WeightShape shape, ReadOnlySpan<float> weights, ReadOnlySpan<bool> nonZeros)
    {
        if (PatternMatch.ReasonAgainst(pattern, shape) is { } reason)
            return new CandidateFit(pattern.ToString(), reason, null, null, null);
        double captured = Dovetail.Core.Patterns.CapturedEnergy.Of(weights, pattern, shape),
            places = Expressiveness.NonZeroCount(pattern, shape);
        double free = Dovetail.Core.Patterns.CapturedEnergy.Of(weights, new UnstructuredPattern(places / shape.Count), shape);
        return new CandidateFit(pattern.ToString(), null, captured, captured / free, PatternMatch.IsSatisfied(nonZeros, pattern, shape))
        {
            Places = places,
            Log2Masks = Expressiveness.Log2MaskCount(pattern, shape),
        };
    }
}
