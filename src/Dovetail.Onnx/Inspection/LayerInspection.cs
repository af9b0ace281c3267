using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Inspection;

/// <summary>What a layer is, and which patterns its weights fit.</summary>
/// <param name="Pattern">Declared by the file, or detected; null where the weights follow none.</param>
/// <param name="PatternSource">"declared", "detected" or null.</param>
/// <param name="BestFit">The candidate that does best: a satisfied one with the fewest places, else the one that comes nearest to unstructured weights of equal number.</param>
public sealed record LayerInspection(
    string Name, string Op, IReadOnlyList<int> Shape, int Groups, string Type, string? Pattern, string? PatternSource, long Weights, long NonZeros,
    double Sparsity, long Bytes, long DenseBytes, string? BestFit, IReadOnlyList<CandidateFit> Candidates)
{
    public static LayerInspection Of(WeightEntry entry, SparsityPattern? declaredByFile, IReadOnlyList<SparsityPattern> candidates)
    {
        float[] weights = entry.Load();
        bool[] nonZeros = Array.ConvertAll(weights, weight => weight != 0);
        SparsityPattern? declared = entry.Declared ?? (declaredByFile is not null && PatternMatch.ReasonAgainst(declaredByFile, entry.Shape) is null ? declaredByFile : null);
        SparsityPattern? pattern = declared ?? PatternDetection.Find(nonZeros, entry.Shape);
        SparsityPattern[] all = pattern is null || candidates.Contains(pattern) ? [.. candidates] : [pattern, .. candidates];
        CandidateFit[] fits = [.. all.Select(candidate => CandidateFit.Of(candidate, entry.Shape, weights, nonZeros))];
        CandidateFit? best = fits.Where(fit => fit.Satisfies == true).MinBy(fit => (fit.Places, fit.Log2Masks))
            ?? fits.Where(fit => fit.ShareOfUnstructured is not null && fit.Family is not UnstructuredPattern).MaxBy(fit => fit.ShareOfUnstructured);
        long count = nonZeros.AsSpan().Count(true);
        return new LayerInspection(
            entry.Name, entry.Op, entry.Shape.Dimensions, entry.Shape.Groups, entry.Type, pattern?.ToString(),
            pattern is null ? null : declared is null ? "detected" : "declared", nonZeros.Length, count, 1 - (double)count / nonZeros.Length,
            entry.Bytes, entry.DenseBytes, best?.Pattern, fits);
    }
}
