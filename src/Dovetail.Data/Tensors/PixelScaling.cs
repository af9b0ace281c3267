namespace Dovetail.Data.Tensors;

/// <summary>How bytes become a model's floats: (x · scale − mean[c]) / std[c].</summary>
/// <param name="Scale">1/255 makes 0 … 1 of pixels; in double precision, so that 1/255 gives what dividing by 255 gives.</param>
/// <param name="Mean">One number, or one a channel.</param>
/// <param name="Deviation">One number, or one a channel.</param>
public sealed record PixelScaling(double Scale, IReadOnlyList<float> Mean, IReadOnlyList<float> Deviation)
{
    public static PixelScaling Default { get; } = new(1.0 / 255, [0], [1]);

    /// <param name="pixels">[…, channels]: channels innermost.</param>
    /// <exception cref="TensorFileException">There are as many means or deviations as neither 1 nor the channels.</exception>
    public float[] Apply(ReadOnlySpan<byte> pixels, int channels)
    {
        foreach ((string option, IReadOnlyList<float> numbers) in new[] { ("--mean", Mean), ("--std", Deviation) })
            if (numbers.Count != 1 && numbers.Count != channels)
                throw new TensorFileException(
                    $"{option} has {numbers.Count} numbers, expected 1 or one for each of the {channels} channels.");
        var result = new float[pixels.Length];
        for (int i = 0; i < result.Length; i++)
        {
            int channel = i % channels;
            result[i] = (float)((pixels[i] * Scale - Mean[Mean.Count == 1 ? 0 : channel]) / Deviation[Deviation.Count == 1 ? 0 : channel]);
        }

        return result;
    }
}
