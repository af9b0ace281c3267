using Dovetail.Cli.Reports.Results;
using Dovetail.Data.Tensors;

namespace Dovetail.Cli.Commands.Run;

/// <summary>The greatest outputs of a classifier.</summary>
internal static class TopClasses
{
    private const double SumTolerance = 1e-3;

    /// <summary>True for floating-point outputs [inputs, classes] with at least two classes.</summary>
    public static bool AppliesTo(FileTensor output) => output is { Values: float[] or Half[] or double[], Shape: [_, >= 2] };

    /// <param name="output">[inputs, classes].</param>
    /// <param name="count">Classes to name, at most as many as there are.</param>
    /// <param name="labels">One a class, or none.</param>
    /// <returns>For each input its classes, greatest first; ties go to the lower class, NaN comes last.</returns>
    public static IReadOnlyList<IReadOnlyList<ClassScore>> Of(FileTensor output, int count, IReadOnlyList<string> labels)
    {
        float[] values = output.ToFloats();
        int classes = checked((int)output.Shape[1]);
        if (labels.Count > 0 && labels.Count != classes)
            throw new TensorFileException($"The labels file has {labels.Count} lines, and the model {classes} classes; expected one line "
                + "a class.");
        return [.. Enumerable.Range(0, (int)output.Shape[0]).Select(row => Row(values.AsSpan(row * classes, classes), count, labels))];
    }

    private static List<ClassScore> Row(ReadOnlySpan<float> values, int count, IReadOnlyList<string> labels)
    {
        double[] probabilities = Probabilities(values);
        var ranked = new (int Class, float Value)[values.Length];
        for (int i = 0; i < values.Length; i++)
            ranked[i] = (i, values[i]);
        return [.. ranked.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Class).Take(count)
            .Select(entry =>
                new ClassScore(entry.Class, labels.Count > 0 ? labels[entry.Class] : null, entry.Value, probabilities[entry.Class]))];
    }

    private static double[] Probabilities(ReadOnlySpan<float> values)
    {
        double sum = 0, largest = double.NegativeInfinity;
        bool negative = false;
        foreach (float value in values)
        {
            sum += value;
            negative |= value < 0;
            largest = Math.Max(largest, value);
        }

        var probabilities = new double[values.Length];
        bool given = !negative && Math.Abs(sum - 1) < SumTolerance;
        double total = 0;
        for (int i = 0; i < values.Length; i++)
            total += probabilities[i] = given ? values[i] : Math.Exp(values[i] - largest);
        if (!given)
            for (int i = 0; i < values.Length; i++)
                probabilities[i] /= total;
        return probabilities;
    }
}
