using System.Diagnostics;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Permute;

namespace Dovetail.Benchmarks;

/// <summary>
/// What orders of channels gain on trained weights, against the time that the search takes: first each layer alone, whose order is
/// free, by the bound of the search; then the whole network, where tied layers share an order and what cannot fold stays.
/// Gains depend on seeds, not on the machine; times do.
/// </summary>
internal static class PermutationBenchmark
{
    private static readonly string[] Patterns = ["2:4", "1:4", "1:8", "1:16", "2:32", "4:64", "1:16@strided", "1:16/out", "1:16x2"];
    private static readonly long[] Bounds = [2_000, 20_000, 200_000, 2_000_000];

    public static void Run(TextWriter output, string path)
    {
        OnnxModel model = OnnxModel.Load(path);
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        output.WriteLine($"orders for {Path.GetFileName(path)}: {string.Join(", ", layers.Select(l => $"{l.Name} {l.Shape}"))}");
        output.WriteLine();
        output.WriteLine("each layer alone: mean share of Σw² kept, its relative gain, seconds for all layers; * no exchange gains more, "
            + "in any layer");
        output.WriteLine($"pattern        layers  as it stands{string.Concat(Bounds.Select(b => $"{$"{b:N0} exchanges",28}"))}");
        foreach (ComplementaryPattern pattern in Patterns.Select(ComplementaryPattern.Parse))
        {
            List<(float[] Scores, CellLayout Layout)> fitting = [
                .. layers.Where(l => l.ReasonAgainst(pattern) is null).Select(l => (Shares(l), new CellLayout(pattern, l.Shape)))];
            output.Write($"{pattern,-14} {fitting.Count,6}");
            for (int i = 0; i < Bounds.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                PermutationResult[] results = [
                    .. fitting.Select(l => PermutationSearch.Search(l.Scores, l.Layout, new PermutationOptions(Bounds[i])))];
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, before = results.Average(r => r.ScoreBefore),
                    after = results.Average(r => r.ScoreAfter);
                if (i == 0)
                    output.Write($"{before,14:F4}");
                output.Write(
                    $"{after,10:F4} {after / before - 1,7:+0.00%} {seconds,7:F2}{(results.All(r => r.IsLocalOptimum) ? "*" : " ")}");
            }

            output.WriteLine();
        }

        output.WriteLine();
        output.WriteLine("the network (PermutationPass, its default bound): sum of the shares of the layers that the pattern fits");
        output.WriteLine("pattern        layers    before     after     gain  seconds  folded  stored");
        foreach (ComplementaryPattern pattern in Patterns.Select(ComplementaryPattern.Parse))
        {
            long start = Stopwatch.GetTimestamp();
            List<PermutedLayer> found = [.. PermutationPass.Apply(model, pattern).Layers.Where(l => l.Pattern is not null)];
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, before = found.Sum(l => l.CapturedBefore),
                after = found.Sum(l => l.CapturedAfter);
            output.WriteLine(
                $"{pattern,-14} {found.Count,6} {before,9:F4} {after,9:F4} {after / before - 1,8:+0.00%;-0.00%} {seconds,8:F2} "
                + $"{found.Count(l => l.Outcome == PermutationOutcome.Folded),7} "
                + $"{found.Count(l => l.Outcome == PermutationOutcome.Stored),7}");
        }
    }

    /// <summary>w² / Σw².</summary>
    private static float[] Shares(WeightLayer layer)
    {
        float[] weights = layer.GetWeights();
        double sum = weights.Sum(w => (double)w * w);
        return Array.ConvertAll(weights, w => (float)((double)w * w / sum));
    }
}
