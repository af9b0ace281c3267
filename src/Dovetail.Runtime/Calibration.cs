using Dovetail.Kernels;
using Microsoft.ML.OnnxRuntime;

namespace Dovetail.Runtime;

/// <summary>
/// Ranges of activations for post-training quantization.
/// 1. A pass over the images finds the least and the greatest value of every tensor; 0 is included, since padding and
///    ReLU need an exact zero.
/// 2. With a percentile below 100 a second pass counts values in equal bins of that range, and the range shrinks from
///    both ends until (100 − percentile)/2 % of the values lie outside at each.
/// 3. By entropy a second pass counts magnitudes, and the range is cut at the one where a histogram of 128 levels says most of the whole
///    one: the Kullback-Leibler divergence P‖Q is least, where P has what lies beyond in its last bin and Q is P in 128 levels.
///    Source: S. Migacz, "8-bit inference with TensorRT", GTC 2017.
/// </summary>
public static class Calibration
{
    private const int Bins = 4096;

    /// <param name="modelWithOutputs">A model whose outputs include the tensors (GraphSlicer.WithOutputs).</param>
    /// <param name="tensorNames">Float outputs of the model.</param>
    /// <param name="images">[images, imageShape…].</param>
    /// <param name="imageShape">Of one image.</param>
    /// <param name="batchSize">Images of one run.</param>
    /// <param name="percentile">Share of values that the range covers, in percent; 100: all.</param>
    /// <param name="threads">Threads of one run; null: one a processor.</param>
    /// <returns>Least and greatest value of each tensor, as QuantizationPass takes them.</returns>
    /// <exception cref="OperatorException">A tensor is no float output, is not finite, or there are no images.</exception>
    public static IReadOnlyDictionary<string, (float Min, float Max)> Ranges(
        byte[] modelWithOutputs, IReadOnlyCollection<string> tensorNames, ReadOnlyMemory<float> images,
        IReadOnlyList<long> imageShape, int batchSize, double percentile = 100, int? threads = null,
        CancellationToken cancellation = default) =>
        Ranges(
            modelWithOutputs, tensorNames, images, imageShape, batchSize,
            percentile == 100 ? CalibrationMethod.MinMax : CalibrationMethod.Percentile, percentile, threads, cancellation);

    /// <summary>The same by a method of its own.</summary>
    /// <param name="modelWithOutputs">A model whose outputs include the tensors (GraphSlicer.WithOutputs).</param>
    /// <param name="tensorNames">Float outputs of the model.</param>
    /// <param name="images">[images, imageShape…].</param>
    /// <param name="imageShape">Of one image.</param>
    /// <param name="batchSize">Images of one run.</param>
    /// <param name="percentile">Share of values that the range covers, in percent, by <see cref="CalibrationMethod.Percentile"/>.</param>
    /// <param name="threads">Threads of one run; null: one a processor.</param>
    /// <exception cref="OperatorException">A tensor is no float output, is not finite, or there are no images.</exception>
    public static IReadOnlyDictionary<string, (float Min, float Max)> Ranges(
        byte[] modelWithOutputs, IReadOnlyCollection<string> tensorNames, ReadOnlyMemory<float> images,
        IReadOnlyList<long> imageShape, int batchSize, CalibrationMethod method, double percentile = 99.99, int? threads = null,
        CancellationToken cancellation = default)
    {
        if (images.IsEmpty)
            throw new OperatorException("There are no images to calibrate with; expected at least one.");
        using var session = DovetailSession.Create(modelWithOutputs, new DovetailSessionOptions(threads));
        return Ranges(
            session, tensorNames,
            ImageBatches.Split(images, imageShape, batchSize)
                .Select(batch => (IReadOnlyList<InputTensor>)[new InputTensor(session.InputName, batch.Values, batch.Dimensions)]),
            method, percentile, cancellation);
    }

    /// <summary>The same for a model with any inputs.</summary>
    /// <param name="modelWithOutputs">A model whose outputs include the tensors (GraphSlicer.WithOutputs).</param>
    /// <param name="tensorNames">Float outputs of the model.</param>
    /// <param name="runs">All inputs of each run; gone through once or twice.</param>
    /// <param name="percentile">Share of values that the range covers, in percent, by <see cref="CalibrationMethod.Percentile"/>.</param>
    /// <param name="threads">Threads of one run; null: one a processor.</param>
    /// <exception cref="OperatorException">A tensor is no float output, is not finite, or there are no runs.</exception>
    public static IReadOnlyDictionary<string, (float Min, float Max)> Ranges(
        byte[] modelWithOutputs, IReadOnlyCollection<string> tensorNames, IReadOnlyCollection<IReadOnlyList<InputTensor>> runs,
        CalibrationMethod method, double percentile = 99.99, int? threads = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Count == 0)
            throw new OperatorException("There are no inputs to calibrate with; expected those of at least one run.");
        using var session = DovetailSession.Create(modelWithOutputs, new DovetailSessionOptions(threads));
        return Ranges(session, tensorNames, runs, method, percentile, cancellation);
    }

    private static Dictionary<string, (float Min, float Max)> Ranges(
        DovetailSession session, IReadOnlyCollection<string> tensorNames, IEnumerable<IReadOnlyList<InputTensor>> runs,
        CalibrationMethod method, double percentile, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(tensorNames);
        if (method == CalibrationMethod.Percentile && percentile is not (> 0 and <= 100))
            throw new OperatorException($"The percentile is {percentile}, expected above 0 and at most 100.");
        string[] names = [.. tensorNames];
        CheckOutputs(session, names);
        var ranges = new (float Min, float Max)[names.Length];
        ForEachOutput(session, names, runs, (i, values) => ranges[i] = Widen(ranges[i], values, names[i]), cancellation);
        if (method == CalibrationMethod.Percentile && percentile < 100)
        {
            var counts = Array.ConvertAll(names, _ => new long[Bins]);
            ForEachOutput(session, names, runs, (i, values) => Count(counts[i], ranges[i], values), cancellation);
            for (int i = 0; i < names.Length; i++)
                ranges[i] = Shrink(ranges[i], counts[i], percentile);
        }
        else if (method == CalibrationMethod.Entropy)
        {
            var counts = Array.ConvertAll(names, _ => new long[EntropyCut.Bins]);
            float[] greatest = Array.ConvertAll(ranges, range => Math.Max(-range.Min, range.Max));
            ForEachOutput(session, names, runs, (i, values) => EntropyCut.Count(counts[i], greatest[i], values), cancellation);
            for (int i = 0; i < names.Length; i++)
            {
                float cut = greatest[i] * EntropyCut.Find(counts[i]);
                ranges[i] = (Math.Max(ranges[i].Min, -cut), Math.Min(ranges[i].Max, cut));
            }
        }

        return names.Zip(ranges).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    internal static void CheckOutputs(DovetailSession session, IEnumerable<string> names)
    {
        foreach (string name in names)
            if (!session.Inner.OutputMetadata.ContainsKey(name))
                throw new OperatorException($"The model has no output '{name}', expected one of "
                    + $"{string.Join(", ", session.Inner.OutputNames)}. Make inner tensors outputs first.");
    }

    private delegate void OutputVisitor(int output, ReadOnlySpan<float> values);

    private static void ForEachOutput(
        DovetailSession session, string[] names, IEnumerable<IReadOnlyList<InputTensor>> runs, OutputVisitor visit,
        CancellationToken cancellation)
    {
        using var options = new RunOptions();
        foreach (IReadOnlyList<InputTensor> run in runs)
        {
            cancellation.ThrowIfCancellationRequested();
            var inputs = new List<OrtValue>();
            try
            {
                foreach (InputTensor input in run)
                    inputs.Add(TensorValues.Create(input.Values, input.Shape));
                using IDisposableReadOnlyCollection<OrtValue> outputs = session.RunChecked(
                    options, [.. run.Select(input => input.Name)], inputs, names);
                for (int i = 0; i < names.Length; i++)
                {
                    if (outputs[i].GetTensorTypeAndShape().ElementDataType != Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float)
                        throw new OperatorException($"The output '{names[i]}' is not float; expected activations before quantization.");
                    visit(i, outputs[i].GetTensorDataAsSpan<float>());
                }
            }
            finally
            {
                inputs.ForEach(input => input.Dispose());
            }
        }
    }

    private static (float Min, float Max) Widen((float Min, float Max) range, ReadOnlySpan<float> values, string name)
    {
        (float minimum, float maximum) = range;
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                throw new OperatorException($"The tensor '{name}' has the value {value}, expected finite numbers.");
            minimum = Math.Min(minimum, value);
            maximum = Math.Max(maximum, value);
        }

        return (minimum, maximum);
    }

    private static void Count(long[] counts, (float Min, float Max) range, ReadOnlySpan<float> values)
    {
        double scale = range.Max > range.Min ? Bins / ((double)range.Max - range.Min) : 0;
        foreach (float value in values)
            counts[Math.Clamp((int)((value - (double)range.Min) * scale), 0, Bins - 1)]++;
    }

    private static (float Min, float Max) Shrink((float Min, float Max) range, long[] counts, double percentile)
    {
        double allowed = counts.Sum() * (100 - percentile) / 200, width = ((double)range.Max - range.Min) / Bins;
        int low = 0, high = Bins;
        for (double cut = counts[0]; low < high - 1 && cut <= allowed; cut += counts[low])
            low++;
        for (double cut = counts[high - 1]; high > low + 1 && cut <= allowed; cut += counts[high - 1])
            high--;
        return (
            Math.Min(0, (float)(range.Min + low * width)),
            Math.Max(0, high == Bins ? range.Max : (float)(range.Min + high * width)));
    }
}
