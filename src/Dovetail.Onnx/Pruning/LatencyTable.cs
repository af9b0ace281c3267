using System.Text.Json;
using Dovetail.Core;
using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Pruning;

/// <summary>
/// Measured latencies of layers under patterns, from the JSON of network benchmarks: one file for each pattern, or several.
/// Where a layer and pattern stand in more than one, the least counts. A layer that was never measured costs nothing and has
/// to stay dense.
/// </summary>
public sealed class LatencyTable
{
    private readonly Dictionary<(string Layer, ComplementaryPattern Pattern), long> _nanoseconds = [];

    /// <summary>Layers with a measurement.</summary>
    public IReadOnlyCollection<string> Layers => [.. _nanoseconds.Keys.Select(key => key.Layer).Distinct()];

    /// <exception cref="DovetailException">A file cannot be read, or is not such JSON.</exception>
    public static LatencyTable Load(IEnumerable<string> paths)
    {
        var table = new LatencyTable();
        foreach (string path in paths)
        {
            try
            {
                using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
                foreach (JsonElement layer in json.RootElement.GetProperty("layers").EnumerateArray())
                {
                    string name = layer.GetProperty("name").GetString()!;
                    table.Add(path, name, ComplementaryPattern.Dense, layer.GetProperty("dense_us").GetDouble());
                    var pattern = ComplementaryPattern.Parse(layer.GetProperty("pattern").GetString()!);
                    table.Add(path, name, pattern, layer.GetProperty("packed_us").GetDouble());
                }
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException
                or FormatException or ArgumentNullException or PatternException)
            {
                throw new DovetailException(
                    $"'{path}' holds no measured latencies, expected a JSON object with layers, "
                    + $"each with name, pattern, dense_us and packed_us: {error.Message}", error);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new DovetailException($"'{path}' cannot be read: {error.Message}", error);
            }
        }

        return table;
    }

    public bool Has(string layer, ComplementaryPattern pattern) => _nanoseconds.ContainsKey((layer, pattern));

    public long Nanoseconds(string layer, ComplementaryPattern pattern) => _nanoseconds.GetValueOrDefault((layer, pattern));

    private void Add(string path, string layer, ComplementaryPattern pattern, double microseconds)
    {
        if (!(microseconds > 0 && microseconds < 1e12))
            throw new DovetailException($"'{path}': layer '{layer}' takes {microseconds} µs under {pattern}, expected a positive time.");
        long nanoseconds = (long)Math.Ceiling(microseconds * 1e3);
        if (!_nanoseconds.TryGetValue((layer, pattern), out long known) || nanoseconds < known)
            _nanoseconds[(layer, pattern)] = nanoseconds;
    }
}
