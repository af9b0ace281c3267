using System.Globalization;
using Dovetail.Core.Files;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Mapping;

/// <summary>
/// SCALE-Sim topology files: one header line, then a layer a line, fields separated by commas, a trailing
/// comma allowed. Two forms, told apart by the header (or, without one, by the number of fields):
/// 1. convolutions: name, input height, input width, filter height, filter width, channels, filters, stride.
///    They are unpadded, and the output size is ⌈(input − filter + stride) / stride⌉: rounded up, which
///    the geometry states as padding below and to the right.
/// 2. products: name, M, N, K = output pixels, filters, window.
/// A ninth field, SCALE-Sim v3's sparsity of a layer, must be dense ("1:1"): patterns are the array's.
/// </summary>
public static class Topology
{
    private const string Forms = "'name, input height, input width, filter height, filter width, channels, filters, stride' or 'name, "
        + "M, N, K'";

    /// <exception cref="AcceleratorException">The file cannot be read or a line is not a layer.</exception>
    public static IReadOnlyList<LayerWorkload> Load(string path)
    {
        try
        {
            return Parse(UserFile.ReadAllText(path), path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new AcceleratorException($"The topology '{path}' cannot be read: {error.Message}", error);
        }
    }

    /// <param name="name">What messages call the text, e.g. its path.</param>
    /// <exception cref="AcceleratorException">A line is not a layer.</exception>
    public static IReadOnlyList<LayerWorkload> Parse(string text, string name)
    {
        ArgumentNullException.ThrowIfNull(text);
        var layers = new List<LayerWorkload>();
        bool first = true;
        bool? isProduct = null;
        int number = 0;
        foreach (string line in text.Split('\n'))
        {
            number++;
            string[] fields = Fields(line);
            if (fields.Length == 0)
                continue;
            if (first)
            {
                first = false;
                isProduct = IsProduct(fields);
                if (fields.Length > 1 && !IsNumber(fields[1]))
                {
                    if (isProduct is null)
                        throw Error(name, number, $"the header '{line.Trim()}' is of neither form");
                    continue;
                }
            }

            bool product = isProduct ?? throw Error(name, number, $"'{line.Trim()}' has {fields.Length} fields");
            layers.Add(product ? Product(fields, name, number) : Convolution(fields, name, number));
        }

        if (layers.Count == 0)
            throw new AcceleratorException($"The topology '{name}' has no layers; expected lines of {Forms}.");
        return layers;
    }

    private static bool? IsProduct(string[] fields) => fields.Length switch
    {
        4 or 5 => true,
        8 or 9 => false,
        _ => null,
    };

    private static LayerWorkload Product(string[] fields, string name, int line)
    {
        CheckCount(fields, 4, name, line);
        int pixels = Positive(fields, 1, "M", name, line), outputs = Positive(fields, 2, "N", name, line),
            inputs = Positive(fields, 3, "K", name, line);
        if ((long)outputs * inputs > Array.MaxLength)
            throw Error(name, line, $"{inputs} inputs × {outputs} outputs are more than a layer may have, {Array.MaxLength} weights");
        return new LayerWorkload(fields[0], "Gemm", outputs, pixels, inputs);
    }

    private static LayerWorkload Convolution(string[] fields, string name, int line)
    {
        CheckCount(fields, 8, name, line);
        int height = Positive(fields, 1, "the input height", name, line), width = Positive(fields, 2, "the input width", name, line);
        int kernelHeight = Positive(fields, 3, "the filter height", name, line),
            kernelWidth = Positive(fields, 4, "the filter width", name, line);
        int channels = Positive(fields, 5, "the channels", name, line), filters = Positive(fields, 6, "the filters", name, line);
        int stride = Positive(fields, 7, "the stride", name, line);
        if (kernelHeight > height || kernelWidth > width)
            throw Error(name, line, $"the filter of {kernelHeight}×{kernelWidth} is larger than the input of {height}×{width}");
        if ((long)kernelHeight * kernelWidth * channels > Array.MaxLength)
            throw Error(name, line, $"{kernelHeight}×{kernelWidth}×{channels} inputs of a filter are more than a layer may have, "
                + $"{Array.MaxLength}");
        var geometry = new ConvolutionGeometry(
            height, width, kernelHeight, kernelWidth, stride, stride,
            PadBottom: MissingBelow(height, kernelHeight, stride), PadRight: MissingBelow(width, kernelWidth, stride));
        long inputs = (long)geometry.Taps * channels;
        if (inputs * filters > Array.MaxLength || geometry.OutputHeight * (long)geometry.OutputWidth > int.MaxValue)
            throw Error(name, line, $"{inputs} inputs × {filters} filters over {geometry.OutputHeight}×{geometry.OutputWidth} pixels is "
                + $"more than a layer may have, {Array.MaxLength} weights");
        return new LayerWorkload(fields[0], "Conv", filters, geometry.OutputPixels, (int)inputs, geometry);
    }

    /// <summary>Padding that turns ⌊(input − kernel) / stride⌋ + 1 into ⌈(input − kernel + stride) / stride⌉.</summary>
    private static int MissingBelow(int input, int kernel, int stride) => (stride - (input - kernel) % stride) % stride;

    private static void CheckCount(string[] fields, int expected, string name, int line)
    {
        if (fields.Length < expected || fields.Length > expected + 1)
            throw Error(name, line, $"the line has {fields.Length} fields, not {expected} as the lines before");
        if (fields.Length == expected + 1 && fields[expected] is not ("1:1" or "dense"))
            throw Error(name, line, $"the layer's sparsity is '{fields[expected]}'; give the array a pattern instead and leave '1:1' here");
    }

    private static int Positive(string[] fields, int index, string what, string name, int line) =>
        int.TryParse(fields[index], NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
            ? value
            : throw Error(name, line, $"{what} is '{fields[index]}', not a whole number of at least 1");

    private static bool IsNumber(string field) => double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    /// <summary>The fields without the empty one behind a trailing comma; none for an empty line.</summary>
    private static string[] Fields(string line)
    {
        string[] fields = line.Split(',', StringSplitOptions.TrimEntries);
        int count = fields.Length;
        while (count > 0 && fields[count - 1].Length == 0)
            count--;
        return fields[..count];
    }

    private static AcceleratorException Error(string name, int line, string found) =>
        new($"The topology '{name}', line {line}: {found}. Expected lines of {Forms}.");
}
