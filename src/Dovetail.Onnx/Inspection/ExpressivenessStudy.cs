using System.Globalization;
using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Inspection;

/// <summary>A pattern of a family at a sparsity, over all layers that were compared.</summary>
/// <param name="NM">Whether hardware for N:M takes the pattern as it is.</param>
/// <param name="Layers">How many layers the figures cover.</param>
public sealed record FamilyPoint(
    string Family, string Pattern, double Sparsity, double BitsPerWeight, double ShareOfUnstructured, double CapturedEnergy,
    [property: System.Text.Json.Serialization.JsonPropertyName("n_m")] bool NM, int Layers);

/// <summary>The same for one layer.</summary>
public sealed record LayerPoint(string Layer, string Pattern, double BitsPerWeight, double CapturedEnergy);

public sealed record StudyResult(IReadOnlyList<FamilyPoint> Families, IReadOnlyList<LayerPoint> Layers, IReadOnlyList<string> Notes);

/// <summary>
/// Families of patterns at equal sparsity: bits per weight and captured energy.
/// 1. A density is taken as the fraction p/q with the smallest q; keep:group is in the family "keep:g" if p divides keep.
/// 2. Of several layers, those are compared that the smallest cell at the sparsity fits, so that the families see
///    the same weights. Masks and energies are summed over them before they are divided.
/// 3. A pattern that does not fit a layer leaves it out, with a note.
/// </summary>
public static class ExpressivenessStudy
{
    private static readonly int[] Keeps = [1, 2, 4, 8, 16];

    public static IReadOnlyList<double> DefaultSparsities { get; } = [0.5, 0.75, 0.875, 0.9375, 0.96875];

    /// <summary>The matrix of independent normal weights that stands for an untrained layer.</summary>
    public static WeightEntry Gaussian(int seed)
    {
        var shape = WeightShape.Matrix(512, 512);
        return new WeightEntry("gaussian", "matrix", shape, "float32", 4L * shape.Count, 4L * shape.Count, null, () =>
            GaussianWeights.Create(shape.Count, seed));
    }

    /// <summary>How many patterns <see cref="Run"/> will report as steps.</summary>
    public static int StepCount(IReadOnlyList<double> sparsities) => sparsities.Sum(sparsity => Patterns(sparsity, []).Count);

    public static StudyResult Run(IReadOnlyList<WeightEntry> entries, IReadOnlyList<double> sparsities, Action<string>? step = null)
    {
        (string Name, WeightShape Shape, float[] Weights)[] layers = [.. entries.Select(entry => (entry.Name, entry.Shape, entry.Load()))];
        var points = new List<FamilyPoint>();
        var details = new List<LayerPoint>();
        var notes = new List<string>();
        foreach (double sparsity in sparsities)
        {
            IReadOnlyList<(string Family, SparsityPattern Pattern)> patterns = Patterns(sparsity, notes);
            SparsityPattern reference = patterns[0].Pattern;
            var compared = layers.Where(layer => PatternMatch.ReasonAgainst(reference, layer.Shape) is null).ToArray();
            notes.AddRange(
                layers.Except(compared)
                .Select(layer => $"{Percent(sparsity)}: {layer.Name} is left out, {PatternMatch.ReasonAgainst(reference, layer.Shape)}."));
            foreach ((string family, SparsityPattern pattern) in patterns)
            {
                var sum = new Sums();
                foreach ((string name, WeightShape shape, float[] weights) in compared)
                {
                    if (PatternMatch.ReasonAgainst(pattern, shape) is { } reason)
                    {
                        notes.Add($"{pattern}: {name} is left out, {reason}.");
                        continue;
                    }

                    details.Add(sum.Add(name, pattern, shape, weights));
                }

                if (sum.Layers > 0)
                    points.Add(new FamilyPoint(
                        family, pattern.ToString(), sparsity, sum.Bits / sum.Weights, sum.Bound == 0 ? 1 : sum.Bits / sum.Bound,
                        sum.Energy == 0 ? 1 : sum.Kept / sum.Energy, NmPattern.IsNm(pattern), sum.Layers));
                step?.Invoke(pattern.ToString());
            }
        }

        return new StudyResult(points, details, notes);
    }

    /// <summary>The patterns of a sparsity, the smallest cell first where there is one.</summary>
    public static IReadOnlyList<(string Family, SparsityPattern Pattern)> Patterns(double sparsity, List<string> notes)
    {
        double density = Math.Round(1 - sparsity, 12) is > 0 and var rounded ? rounded : 1 - sparsity; // 0.001, not 0.0010000000000000009
        var patterns = new List<(string, SparsityPattern)>();
        if (Fraction(density) is var (p, q))
        {
            int[] keeps = [.. Keeps.Where(keep => keep % p == 0)];
            foreach (int keep in keeps.Length > 0 ? keeps : [.. Keeps.Select(keep => keep * p)])
                if ((long)keep * q / p <= ComplementaryPattern.MaxGroup)
                    patterns.Add(($"{keep}:g", new ComplementaryPattern(keep, keep * q / p)));
                else
                    notes.Add($"{Percent(sparsity)}: {keep}:{keep * q / p} is left out, a cell has at most {ComplementaryPattern.MaxGroup} "
                        + "candidates.");
            patterns.AddRange(
            [
                ($"{p}:g@strided", new ComplementaryPattern(p, q, CellAxis.Input, Arrangement.Strided)),
                ($"{p}:g/out", new ComplementaryPattern(p, q, CellAxis.Output)),
                ($"{p}:gx2", new ComplementaryPattern(p, q, share: 2)),
                ($"{p}:gx4", new ComplementaryPattern(p, q, share: 4)),
            ]);
        }
        else
        {
            notes.Add($"{Percent(sparsity)}: complementary patterns are left out, the density "
                + $"{density.ToString("0.######", CultureInfo.InvariantCulture)} is no fraction of at most "
                + $"{ComplementaryPattern.MaxGroup} parts.");
        }

        patterns.AddRange(
        [
            ("block1x4", new BlockPattern(1, 4, density)),
            ("block4x4", new BlockPattern(4, 4, density)),
            ("channel", new ChannelPattern(density)),
            ("unstructured", new UnstructuredPattern(density)),
        ]);
        return patterns;
    }

    private static (int P, int Q)? Fraction(double density)
    {
        for (int q = 1; q <= ComplementaryPattern.MaxGroup; q++)
            if (Math.Round(density * q) is var p and >= 1 && Math.Abs(density * q - p) < 1e-6)
                return ((int)p, q);
        return null;
    }

    private static string Percent(double sparsity) => (sparsity * 100).ToString("0.####", CultureInfo.InvariantCulture) + " %";

    private sealed class Sums
    {
        public double Bits { get; private set; }
        public double Bound { get; private set; }
        public double Kept { get; private set; }
        public double Energy { get; private set; }
        public long Weights { get; private set; }
        public int Layers { get; private set; }

        public LayerPoint Add(string name, SparsityPattern pattern, WeightShape shape, float[] weights)
        {
            double bits = Expressiveness.Log2MaskCount(pattern, shape), energy = 0, captured = CapturedEnergy.Of(weights, pattern, shape);
            foreach (float weight in weights)
                energy += (double)weight * weight;
            Bits += bits;
            Bound += Expressiveness.Log2MaskCount(
                new UnstructuredPattern(Expressiveness.NonZeroCount(pattern, shape) / shape.Count), shape);
            Kept += captured * energy;
            Energy += energy;
            Weights += shape.Count;
            Layers++;
            return new LayerPoint(name, pattern.ToString(), bits / shape.Count, captured);
        }
    }
}
