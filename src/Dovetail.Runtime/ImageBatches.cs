using Dovetail.Kernels;

namespace Dovetail.Runtime;

/// <summary>Some images as a model's input.</summary>
/// <param name="First">Index of the first image.</param>
/// <param name="Count">Images.</param>
/// <param name="Values">[count, imageShape…].</param>
/// <param name="Dimensions">The same as numbers.</param>
internal sealed record ImageBatch(int First, int Count, float[] Values, long[] Dimensions);

/// <summary>Cuts images into batches.</summary>
internal static class ImageBatches
{
    /// <exception cref="OperatorException">The values are not a whole number of images.</exception>
    public static int Count(int values, IReadOnlyList<long> imageShape)
    {
        long perImage = 1;
        foreach (long dimension in imageShape)
            perImage *= dimension;
        return perImage > 0 && values % perImage == 0
            ? (int)(values / perImage)
            : throw new OperatorException($"{values} values are no whole number of images of [{string.Join(", ", imageShape)}].");
    }

    /// <exception cref="OperatorException">The values are not a whole number of images, or the batch is below 1.</exception>
    public static IEnumerable<ImageBatch> Split(ReadOnlyMemory<float> images, IReadOnlyList<long> imageShape, int batchSize)
    {
        if (batchSize < 1)
            throw new OperatorException($"The batch size is {batchSize}, expected 1 or more.");
        int count = Count(images.Length, imageShape), perImage = count == 0 ? 0 : images.Length / count;
        for (int first = 0; first < count; first += batchSize)
        {
            int size = Math.Min(batchSize, count - first);
            yield return new ImageBatch(first, size, images.Slice(first * perImage, size * perImage).ToArray(), [size, .. imageShape]);
        }
    }
}
