using Dovetail.Data;

namespace Dovetail.Cli.Codesign;

/// <summary>The images of a data set as a model takes them: float, pixels / 255, [images, channels, height, width].</summary>
internal sealed class JobImages(ImageDataset data)
{
    public ImageDataset Data => data;

    /// <summary>[channels, height, width].</summary>
    public IReadOnlyList<long> Shape => [data.Channels, data.Height, data.Width];

    public float[] Test() => Floats(data.Test, 0, data.Test.Count);

    /// <summary>Evenly spread over the training images, which are not in any particular order.</summary>
    public float[] Calibration(int count)
    {
        count = Math.Min(count, data.Train.Count);
        int size = data.PixelsPerImage;
        var images = new float[count * size];
        for (int i = 0; i < count; i++)
            Floats(data.Train, (int)((long)i * data.Train.Count / count), 1).CopyTo(images, i * size);
        return images;
    }

    public float[] TestImage(int index) => Floats(data.Test, index, 1);

    private float[] Floats(ImageSet set, int first, int count)
    {
        ReadOnlySpan<byte> pixels = set.Pixels.AsSpan(first * data.PixelsPerImage, count * data.PixelsPerImage);
        var floats = new float[pixels.Length];
        for (int i = 0; i < floats.Length; i++)
            floats[i] = pixels[i] / 255f;
        return floats;
    }
}
