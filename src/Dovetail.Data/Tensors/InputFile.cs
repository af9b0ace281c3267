using Dovetail.Core.Files;
using StbImageSharp;

namespace Dovetail.Data.Tensors;

/// <summary>
/// Reads a file as a model's input; what kind of file it is, its first bytes say.
/// 1. .npy: elements as they stand, floating-point ones in the input's precision, and bytes for a floating-point input scaled as
///    pixels. A missing outermost dimension of 1 is added, nothing else is reshaped.
/// 2. PNG or JPEG: an image of exactly the input's height and width, gray or colour as the input has channels.
/// 3. IDX (MNIST-like images), also gzipped: [images, 1, height, width].
/// Nothing is resized.
/// </summary>
public static class InputFile
{
    /// <exception cref="TensorFileException">The file cannot be read or does not fit.</exception>
    public static FileTensor Read(string path, ModelInput input, PixelScaling scaling)
    {
        byte[] file;
        try
        {
            file = UserFile.ReadAllBytes(path, Array.MaxLength);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TensorFileException($"The input '{path}' cannot be read: {error.Message.TrimEnd('.')}. Expected a .npy, PNG, JPEG or "
                + "IDX file.", error);
        }

        if (NpyFile.IsNpy(file))
            return Npy(NpyFile.Parse(file, path), path, input, scaling);
        if (IsImage(file))
            return Image(file, path, input, scaling);
        if (file is [0, 0, 8, 3, ..] or [0x1f, 0x8b, ..])
            return Idx(file, path, input, scaling);
        throw new TensorFileException($"'{path}' starts with the bytes {Convert.ToHexString(file.AsSpan(0, Math.Min(4, file.Length)))}; "
            + "expected a .npy, PNG, JPEG or IDX image file.");
    }

    private static bool IsImage(byte[] file) => file is [0x89, (byte)'P', (byte)'N', (byte)'G', ..] or [0xFF, 0xD8, 0xFF, ..];

    private static FileTensor Npy(FileTensor tensor, string path, ModelInput input, PixelScaling scaling)
    {
        long[] shape = input.Fits(tensor.Shape) || !input.Fits([1, .. tensor.Shape]) ? tensor.Shape : [1, .. tensor.Shape];
        if (!input.Fits(shape))
            throw new TensorFileException($"'{path}' holds {tensor}, which does not fit the input {input}. Reshape it, or crop and pad it "
                + "to that size; nothing is resized here.");
        if (tensor.Values.GetType().GetElementType() == input.ElementType)
            return new FileTensor(tensor.Values, shape);
        if (IsFloat(tensor.Values.GetType().GetElementType()!) && IsFloat(input.ElementType))
            return new FileTensor(ElementType.Convert(tensor.Values, input.ElementType), shape);
        if (tensor.Values is not byte[] bytes || !IsFloat(input.ElementType))
            throw new TensorFileException($"'{path}' holds {tensor}, and the input is {input}. Convert its elements before.");
        return Scaled(
            input.ChannelAxis == 1
            ? ToChannelsFirst(scaling.Apply(ToChannelsLast(bytes, shape), (int)shape[1]), shape)
            : scaling.Apply(bytes, shape.Length == 0 ? 1 : (int)Math.Max(1, shape[^1])),
            shape, input);
    }

    private static FileTensor Scaled(float[] pixels, long[] shape, ModelInput input) =>
        new(ElementType.Convert(pixels, input.ElementType), shape) { IsScaled = true };

    private static bool IsFloat(Type type) => ElementType.Find(type)?.IsFloat == true;

    private static FileTensor Image(byte[] file, string path, ModelInput input, PixelScaling scaling)
    {
        if (input.ChannelAxis is not { } axis)
            throw new TensorFileException($"'{path}' is an image, and the input {input} is none: expected [N, C, H, W] or [N, H, W, C] of "
                + "1, 3 or 4 channels. Give it as .npy.");
        int channels = input.Shape[axis];
        ImageHeader header = ImageHeader.Read(file, path, size => Fits(Last(size)));
        if (!Fits(Last(header)))
            throw DoesNotFit(path, Last(header), input);
        ImageResult image;
        try
        {
            image = ImageResult.FromMemory(
                file, channels switch
                {
                    1 => ColorComponents.Grey,
                    3 => ColorComponents.RedGreenBlue,
                    _ => ColorComponents.RedGreenBlueAlpha
                });
        }
        catch (Exception error) when (error is not OutOfMemoryException) // the decoder throws what comes: InvalidOperation, IndexOutOfRange
        {
            throw new TensorFileException($"'{path}' is not a whole PNG or JPEG image (the decoder: {Words(error)}). It may be cut off: "
                + "copy it again.", error);
        }

        long[] last = [1, image.Height, image.Width, channels];
        return Pixels(image.Data, last, path, input, scaling, axis);

        long[] Last(ImageHeader size) => [1, size.Height, size.Width, channels];

        bool Fits(long[] pixels) => FitsPixels(pixels, input, axis);

        // the decoder's message may be blank
        static string Words(Exception error) =>
            error.Message.Trim(' ', '.', '\0', '\r', '\n') is { Length: > 0 } words and not "Index was outside the bounds of the array"
                ? words
                : "its data contradict each other";
    }

    private static FileTensor Idx(byte[] file, string path, ModelInput input, PixelScaling scaling)
    {
        IdxArray images;
        try
        {
            using var stream = new MemoryStream(file);
            images = IdxFile.Read(stream, path, rank: 3);
        }
        catch (DataException error)
        {
            throw new TensorFileException(error.Message, error);
        }

        if (input.ChannelAxis is not { } axis || input.Shape[axis] != 1)
            throw new TensorFileException($"'{path}' holds gray images, and the input is {input}; expected one of 1 channel.");
        return Pixels(images.Data, [images.Dimensions[0], images.Dimensions[1], images.Dimensions[2], 1], path, input, scaling, axis);
    }

    /// <param name="last">Shape of the pixels, [images, height, width, channels].</param>
    private static FileTensor Pixels(byte[] pixels, long[] last, string path, ModelInput input, PixelScaling scaling, int axis)
    {
        long[] shape = Shape(last, axis);
        if (!FitsPixels(last, input, axis))
            throw DoesNotFit(path, last, input);
        if (input.ElementType == typeof(byte))
            return new FileTensor(axis == 1 ? ToChannelsFirst(pixels, shape) : pixels, shape);
        if (!IsFloat(input.ElementType))
            throw new TensorFileException($"'{path}' is an image, and the input is {input}; expected floating-point numbers or uint8.");
        float[] scaled = scaling.Apply(pixels, (int)last[3]);
        return Scaled(axis == 1 ? ToChannelsFirst(scaled, shape) : scaled, shape, input);
    }

    private static long[] Shape(long[] last, int axis) => axis == 1 ? [last[0], last[3], last[1], last[2]] : last;

    private static bool FitsPixels(long[] last, ModelInput input, int axis)
    {
        long[] shape = Shape(last, axis);
        return input.Fits([input.Shape[0] < 0 ? shape[0] : input.Shape[0], .. shape.AsSpan(1)]);
    }

    private static TensorFileException DoesNotFit(string path, long[] last, ModelInput input) => new(
        $"'{path}' is {last[2]} × {last[1]} pixels (width × height), and the input is {input}. Crop or "
        + "scale the image to that size before; nothing is resized here.");

    private static T[] ToChannelsFirst<T>(T[] last, long[] shape) => Transpose(last, shape[0], shape[2] * shape[3], shape[1]);

    private static T[] ToChannelsLast<T>(T[] first, long[] shape) => Transpose(first, shape[0], shape[1], shape[2] * shape[3]);

    /// <summary>[images, rows, columns] to [images, columns, rows].</summary>
    private static T[] Transpose<T>(T[] values, long images, long rows, long columns)
    {
        if (rows == 1 || columns == 1)
            return values;
        var result = new T[values.Length];
        for (long image = 0, from = 0; image < images; image++)
            for (long row = 0; row < rows; row++)
                for (long column = 0; column < columns; column++)
                    result[(image * columns + column) * rows + row] = values[from++];
        return result;
    }
}
