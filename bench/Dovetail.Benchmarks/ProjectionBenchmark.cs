using Dovetail.Core.Patterns;

namespace Dovetail.Benchmarks;

/// <summary>The best mask of a 4096 × 4096 matrix, against a loop that sorts each cell.</summary>
internal static class ProjectionBenchmark
{
    private const int Size = 4096;

    public static void Run(TextWriter output)
    {
        float[] scores = Array.ConvertAll(GaussianWeights.Create(Size * Size, 1), MathF.Abs);
        WeightShape shape = WeightShape.Matrix(Size, Size);
        output.WriteLine($"projection of {Size}×{Size} |Gaussian| scores, best / median milliseconds");
        output.WriteLine("pattern                 projection            sort a cell           ratio of medians");
        foreach (string text in (string[])["1:4", "2:4", "1:16", "2:32", "4:64", "32:64", "16:256", "4:64@strided", "4:64/out", "1:16x2"])
        {
            var layout = new CellLayout(ComplementaryPattern.Parse(text), shape);
            bool comparable = layout.Pattern.Axis == CellAxis.Input && layout.Pattern.Arrangement == Arrangement.Contiguous
                && layout.Pattern.Share == 1;
            Timing[] times = comparable
                ? Timing.Of(7, () => Projection.Project(scores, layout), () => SortCells(scores, layout.Pattern.Keep, layout.Pattern.Group))
                : Timing.Of(7, () => Projection.Project(scores, layout));
            output.WriteLine(times.Length == 2
                ? $"{text,-20} {times[0]}   {times[1]}   {times[1].MedianMilliseconds / times[0].MedianMilliseconds:F1}"
                : $"{text,-20} {times[0]}");
        }

        var unstructured = new UnstructuredPattern(1 / 16.0);
        Timing[] all = Timing.Of(
            3, () => Projection.Project(scores, unstructured, shape), () => SortAll(scores, unstructured.KeptCount(shape)));
        output.WriteLine($"{unstructured,-20} {all[0]}   {all[1]}   {all[1].MedianMilliseconds / all[0].MedianMilliseconds:F1}");
    }

    /// <summary>The plain way: sort the indices of each cell by score, keep the first.</summary>
    private static bool[] SortCells(float[] scores, int keep, int group)
    {
        var mask = new bool[scores.Length];
        var keys = new float[group];
        var indices = new int[group];
        for (int cell = 0; cell < scores.Length; cell += group)
        {
            for (int i = 0; i < group; i++)
                (keys[i], indices[i]) = (-scores[cell + i], i);
            Array.Sort(keys, indices);
            for (int slot = 0; slot < keep; slot++)
                mask[cell + indices[slot]] = true;
        }

        return mask;
    }

    private static bool[] SortAll(float[] scores, int keep)
    {
        float[] sorted = [.. scores];
        Array.Sort(sorted);
        float threshold = sorted[^keep];
        return Array.ConvertAll(scores, score => score >= threshold);
    }
}
