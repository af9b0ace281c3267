using Dovetail.Kernels;

namespace Dovetail.Runtime;

/// <summary>Runs a classifier over many images.</summary>
public static class Evaluation
{
    /// <summary>The model's first output for every image, in batches; the last batch may be smaller.</summary>
    /// <param name="session">A model with one float input [N, imageShape…] and an output [N, classes].</param>
    /// <param name="images">[images, imageShape…], float.</param>
    /// <param name="imageShape">Of one image, e.g. [1, 28, 28].</param>
    /// <param name="batchSize">Images of one run, ≥ 1.</param>
    /// <param name="progress">Told how many images are done.</param>
    /// <param name="cancellation">Looked at between batches.</param>
    /// <returns>[images, classes].</returns>
    /// <exception cref="OperatorException">The images do not fit the shape or the model.</exception>
    public static float[] Logits(
        DovetailSession session, ReadOnlyMemory<float> images, IReadOnlyList<long> imageShape, int batchSize,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        int count = ImageBatches.Count(images.Length, imageShape);
        var logits = Array.Empty<float>();
        foreach (ImageBatch batch in ImageBatches.Split(images, imageShape, batchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            float[] part = session.Run(batch.Values, batch.Dimensions);
            if (part.Length % batch.Count != 0)
                throw new OperatorException($"The model makes {part.Length} outputs for {batch.Count} images; expected the same number "
                    + "for each.");
            if (batch.First == 0)
                logits = new float[part.Length / batch.Count * count];
            part.CopyTo(logits, part.Length / batch.Count * batch.First);
            progress?.Report(batch.First + batch.Count);
        }

        return logits;
    }

    /// <summary>Share of images whose largest logit is that of their label, 0 … 1. Ties go to the lower class.</summary>
    /// <param name="logits">[images, classes].</param>
    /// <param name="labels">[images].</param>
    /// <exception cref="OperatorException">The lengths do not fit each other.</exception>
    public static double Accuracy(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels)
    {
        if (labels.IsEmpty || logits.IsEmpty || logits.Length % labels.Length != 0)
            throw new OperatorException($"{logits.Length} logits do not belong to {labels.Length} labels; expected the same number "
                + "for each.");
        int classes = logits.Length / labels.Length, right = 0;
        for (int i = 0; i < labels.Length; i++)
            if (ArgMax(logits.Slice(i * classes, classes)) == labels[i])
                right++;
        return (double)right / labels.Length;
    }

    private static int ArgMax(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
            if (values[i] > values[best])
                best = i;
        return best;
    }
}
