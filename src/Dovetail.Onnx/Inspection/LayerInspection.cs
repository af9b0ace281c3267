using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;

namespace Dovetail.Onnx.Inspection;

/// <summary>What a layer is, and which patterns its weights fit.</summary>
/// <param name="Pattern">Declared by the file, or detected; null where the weights follow none.</param>
/// <param name="PatternSource">"declared", "detected" or null.</param>
/// <param name="Operands">What a packed floating-point layer multiplies, "fp32" or "bf16"; else null.</param>
/// <param name="BestFit">
/// Of the candidates that the weights satisfy the one with the fewest places; null where they satisfy none, as dense weights do.
/// </param>
public sealed record LayerInspection(
    string Name, string Op, IReadOnlyList<int> Shape, int Groups, string Type, string? Operands, string? Pattern, string? PatternSource,
    long Weights, long NonZeros, double Sparsity, long Bytes, long DenseBytes, string? BestFit, IReadOnlyList<CandidateFit> Candidates)
{
    /// <summary>Of a packed layer: bits of each slot's index, and bytes of all of them; else null.</summary>
    public int? IndexBits { get; private init; }

    /// <inheritdoc cref="IndexBits"/>
    public long? IndexBytes { get; private init; }

    /// <summary>How many layers of the file read these weights, which it holds once.</summary>
    public int Readers { get; private init; } = 1;

    /// <summary>What a reader should know: weights that are NaN, cells with fewer candidates, weights shared; null where nothing.</summary>
    public string? Note { get; private init; }

    /// <param name="declaredByFile">Null where the file declares no pattern for the layer.</param>
    /// <param name="detect">Look for a pattern where none is declared; not where the file says layer by layer what they are.</param>
    public static LayerInspection Of(
        WeightEntry entry, SparsityPattern? declaredByFile, IReadOnlyList<SparsityPattern> candidates, bool detect = true)
    {
        float[] weights = entry.Load();
        bool[] nonZeros = Array.ConvertAll(weights, weight => weight != 0);
        bool finite = NotFinite.Find(weights, entry.Shape) is null;
        bool fits = declaredByFile is not null && PatternMatch.ReasonAgainst(declaredByFile, entry.Shape) is null;
        SparsityPattern? declared = entry.Declared ?? (fits ? declaredByFile : null);
        SparsityPattern? pattern = declared ?? (detect && finite ? PatternDetection.Find(nonZeros, entry.Shape) : null);
        SparsityPattern[] all = pattern is null || candidates.Contains(pattern) ? [.. candidates] : [pattern, .. candidates];
        CandidateFit[] tried = !finite ? [] : [.. all.Select(candidate => CandidateFit.Of(candidate, entry.Shape, weights, nonZeros))];
        CandidateFit? best = tried.Where(fit => fit.Satisfies == true).MinBy(fit => (fit.Places, fit.Log2Masks));
        long count = nonZeros.AsSpan().Count(true);
        return new LayerInspection(
            entry.Name, entry.Op, entry.Shape.Dimensions, entry.Shape.Groups, entry.Type, entry.Operands, pattern?.ToString(),
            pattern is null ? null : declared is null ? "detected" : "declared", nonZeros.Length, count,
            1 - (double)count / nonZeros.Length,
            entry.Bytes, entry.DenseBytes, best?.Pattern, tried)
        {
            IndexBits = entry.Declared is ComplementaryPattern packed ? packed.IndexBits : null,
            IndexBytes = entry.Declared is ComplementaryPattern cells ? IndexBytesOf(cells, entry.Shape) : null,
            Readers = entry.Readers,
            Note = NoteOf(entry, weights, pattern),
        };
    }

    private static long IndexBytesOf(ComplementaryPattern pattern, WeightShape shape)
    {
        var layout = new CellLayout(pattern, shape);
        return (long)layout.OwnerRows * Core.Packing.OwnerCodec.RowBytes(layout.OwnerColumns, pattern.IndexBits);
    }

    private static string? NoteOf(WeightEntry entry, float[] weights, SparsityPattern? pattern)
    {
        string?[] notes =
        [
            NotFinite.Find(weights, entry.Shape)?.Words,
            pattern is ComplementaryPattern cells ? PatternFit.TailNote(entry.Shape, cells) : null,
            entry.Readers > 1 ? $"{entry.Readers} layers read these weights, which the file holds once" : null,
        ];
        return notes.OfType<string>().ToArray() is { Length: > 0 } said ? string.Join("; ", said) : null;
    }
}
