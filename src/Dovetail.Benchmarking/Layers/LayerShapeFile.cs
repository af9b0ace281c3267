using System.Globalization;
using Dovetail.Core.Files;
using Dovetail.Core.Workloads;

namespace Dovetail.Benchmarking.Layers;

/// <summary>
/// Reads a list of layers: CSV with the header <c>name,op,m,n,k,h,w,kernel,stride[,pad][,groups][,count]</c>; lines
/// that start with # and empty ones are skipped.
/// 1. op is <c>conv</c> or <c>gemm</c>. m: outputs. n: output pixels of an image, or rows (tokens). k: inputs of one
///    output, a convolution's channels · kernel² per convolution group.
/// 2. h, w: the input's pixels; kernel and stride are square; pad (each side) is (kernel − 1) / 2 where it is not
///    given, and 0 where the stride is the kernel (patches). A gemm leaves h, w, kernel and stride empty.
/// 3. n and k are checked against the geometry, so that a slip does not measure another layer.
/// </summary>
public static class LayerShapeFile
{
    private const int LargestTensor = 1 << 28, LargestSide = 1 << 14;

    private static readonly string[] s_required = ["name", "op", "m", "n", "k", "h", "w", "kernel", "stride"];
    private static readonly string[] s_optional = ["pad", "groups", "count"];

    /// <exception cref="BenchmarkException">The file cannot be read, or a line of it is wrong; the message names the line.</exception>
    public static IReadOnlyList<LayerShape> Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path))
            throw new BenchmarkException($"There is no list of layers at '{path}'; expected a CSV file such as bench/shapes/resnet50.csv.");
        return Parse(UserFile.ReadAllLines(path), path);
    }

    /// <param name="lines">The file's lines.</param>
    /// <param name="source">Names the file in messages.</param>
    /// <exception cref="BenchmarkException">A line is wrong.</exception>
    public static IReadOnlyList<LayerShape> Parse(IReadOnlyList<string> lines, string source)
    {
        ArgumentNullException.ThrowIfNull(lines);
        string[]? header = null;
        var layers = new List<LayerShape>();
        for (int i = 0; i < lines.Count; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            string[] fields = [.. line.Split(',').Select(field => field.Trim())];
            if (header is null)
            {
                header = fields;
                CheckHeader(header, source, i + 1);
                continue;
            }

            var row = new LayerShapeRow(header, fields, source, i + 1);
            layers.Add(Layer(row));
            if (layers.FindIndex(layer => layer.Workload.Name == layers[^1].Workload.Name) != layers.Count - 1)
                throw row.Wrong($"a second layer is called '{layers[^1].Workload.Name}', expected names that are unique");
        }

        return layers.Count > 0
            ? layers
            : throw new BenchmarkException($"'{source}' lists no layer; expected a header {string.Join(',', s_required)} and a line for "
                + "each layer.");
    }

    private static void CheckHeader(string[] header, string source, int line)
    {
        if (!header.AsSpan(0, Math.Min(header.Length, s_required.Length)).SequenceEqual(s_required)
            || header.Skip(s_required.Length).Except(s_optional).Any() || header.Distinct().Count() != header.Length)
            throw new BenchmarkException($"{source}({line.ToString(CultureInfo.InvariantCulture)}): the header is "
                + $"'{string.Join(',', header)}', expected {string.Join(',', s_required)}, then any of {string.Join(", ", s_optional)}.");
    }

    private static LayerShape Layer(LayerShapeRow row)
    {
        string name = row.Text("name");
        int m = row.Positive("m"), n = row.Positive("n"), k = row.Positive("k"), count = row.Number("count", 1, least: 1);
        if (Math.Max((long)m * k, Math.Max((long)m * n, (long)k * n)) > LargestTensor)
            throw row.Wrong($"m × n × k is {m} × {n} × {k}, expected tensors of at most {LargestTensor} numbers");
        switch (row.Text("op"))
        {
            case "gemm":
                foreach (string column in (string[])["h", "w", "kernel", "stride", "pad", "groups"])
                    if (row.Has(column))
                        throw row.Wrong($"a gemm has {column} '{row.Text(column)}', expected it empty");
                return new LayerShape(new LayerWorkload(name, "Gemm", m, n, k), count);
            case "conv":
                return new LayerShape(new LayerWorkload(name, "Conv", m, n, k, Geometry(row, m, n, k)), count);
            default:
                throw row.Wrong($"op is '{row.Text("op")}', expected conv or gemm");
        }
    }

    private static ConvolutionGeometry Geometry(LayerShapeRow row, int m, int n, int k)
    {
        int kernel = row.Positive("kernel"), stride = row.Positive("stride"), groups = row.Number("groups", 1, least: 1);
        int pad = row.Number("pad", stride == kernel ? 0 : (kernel - 1) / 2, least: 0);
        if (new[] { kernel, stride, pad, row.Positive("h"), row.Positive("w") }.Max() is > LargestSide and var side)
            throw row.Wrong($"a size of {side} stands there, expected at most {LargestSide}");
        var geometry = new ConvolutionGeometry(
            row.Positive("h"), row.Positive("w"), kernel, kernel, stride, stride, pad, pad, pad, pad, Groups: groups);
        if (geometry.InputHeight + 2 * pad < kernel || geometry.InputWidth + 2 * pad < kernel)
            throw row.Wrong($"the input of {geometry.InputHeight} × {geometry.InputWidth} pixels with pads of {pad} is smaller than the "
                + $"kernel of {kernel} × {kernel}");
        if (geometry.OutputPixels != n)
            throw row.Wrong($"n is {n}, and h, w, kernel, stride and pad make {geometry.OutputHeight} × {geometry.OutputWidth} = "
                + $"{geometry.OutputPixels} output pixels");
        if (k % geometry.Taps != 0)
            throw row.Wrong($"k is {k}, expected channels · kernel², a multiple of {geometry.Taps}");
        return m % groups == 0 ? geometry : throw row.Wrong($"m is {m}, which does not divide into {groups} groups");
    }
}
