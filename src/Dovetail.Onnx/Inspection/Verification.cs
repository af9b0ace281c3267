using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;

namespace Dovetail.Onnx.Inspection;

/// <summary>
/// Whether a file satisfies its pattern.
/// 1. Packed layers: the sizes of values and owners, every owner, every padding value; in safetensors also the
///    SHA-256 of the data. With a pattern asked for, their owners must lie inside it too.
/// 2. Dense layers of a file that is not packed: no cell has more non-zeros than the pattern keeps. Layers that
///    the pattern does not fit stay dense by the rule of packing and are not checked, nor are layers that the file
///    leaves out where it declares patterns layer by layer. A layer that it declares must be there and take its pattern.
/// 3. A file in which nothing could be checked does not satisfy anything.
/// </summary>
public static class Verification
{
    /// <param name="asked">A pattern instead of the one that the metadata declare.</param>
    /// <exception cref="DovetailException">The file cannot be read, or it declares no pattern and none was asked for.</exception>
    public static Verdict Run(string path, SparsityPattern? asked)
    {
        using WeightFile file = WeightFile.Open(path);
        SparsityPattern? pattern = asked ?? file.DeclaredPattern;
        var layers = new List<LayerVerdict>();
        var violations = new List<Violation>();
        if (file.IsPacked)
        {
            var packed = new PackedVerification(asked);
            if (file.Model is { } model)
                packed.Check(model);
            else
                packed.Check(file.Safetensors!);
            (layers, violations) = (packed.Layers, packed.Violations);
        }
        else
        {
            if (pattern is null && file.LayerPatterns is null)
                throw new DovetailException(
                    $"'{path}' declares no pattern; expected packed weights or a declared one. Say which it is to satisfy, e.g. 1:16.");
            IReadOnlyList<WeightEntry> entries = file.ReadEntries();
            IReadOnlyDictionary<string, ComplementaryPattern>? declared = asked is null ? file.LayerPatterns : null;
            foreach (WeightEntry entry in entries)
                CheckDense(entry, declared is null ? pattern : declared.GetValueOrDefault(entry.Name), declared is not null, layers,
                    violations);
            foreach (string missing in declared?.Keys.Except(entries.Select(entry => entry.Name)) ?? [])
                violations.Add(
                    new Violation(missing, null, null, null, $"the file declares {declared![missing]} for it, and has no such layer"));
        }

        if (violations.Count == 0 && !layers.Exists(layer => layer.Status == LayerVerdict.Good))
            violations.Add(new Violation(null, null, null, null, layers.Count == 0
                ? "the file has no layer with weights"
                : $"no layer could be checked: {string.Join("; ", layers.Select(layer => $"{layer.Name}: {layer.Reason}"))}"));
        return new Verdict(file.Format, pattern?.ToString(), layers, violations);
    }

    /// <param name="required">The file declares the pattern for this layer: it has to fit.</param>
    private static void CheckDense(
        WeightEntry entry, SparsityPattern? pattern, bool required, List<LayerVerdict> layers, List<Violation> violations)
    {
        string? reason = pattern is null ? "the file declares it dense" : PatternMatch.ReasonAgainst(pattern, entry.Shape);
        if (pattern is null || (reason is not null && !required))
        {
            layers.Add(new LayerVerdict(entry.Name, entry.Shape.ToString(), null, LayerVerdict.Unchecked, reason));
            return;
        }

        if (reason is not null)
        {
            layers.Add(new LayerVerdict(entry.Name, entry.Shape.ToString(), pattern.ToString(), LayerVerdict.Bad, reason));
            violations.Add(new Violation(entry.Name, null, null, null, reason));
            return;
        }

        float[] weights = entry.Load();
        if (NotFinite.Find(weights, entry.Shape) is var (row, column, words))
        {
            layers.Add(new LayerVerdict(entry.Name, entry.Shape.ToString(), pattern.ToString(), LayerVerdict.Bad, words));
            violations.Add(new Violation(entry.Name, null, row, column, words));
            return;
        }

        bool[] nonZeros = Array.ConvertAll(weights, weight => weight != 0);
        MaskFault? fault = PatternMatch.FindFault(nonZeros, pattern, entry.Shape);
        layers.Add(new LayerVerdict(
            entry.Name, entry.Shape.ToString(), pattern.ToString(), fault is null ? LayerVerdict.Good : LayerVerdict.Bad,
            fault?.Message ?? (pattern is ComplementaryPattern cells ? PatternFit.TailNote(entry.Shape, cells) : null)));
        if (fault is not null)
            violations.Add(new Violation(entry.Name, fault.Cell, fault.Row, fault.Column, fault.Message));
    }
}
