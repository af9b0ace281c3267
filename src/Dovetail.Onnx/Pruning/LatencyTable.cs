using System.Text.Json;
using Dovetail.Core;
using Dovetail.Core.Files;
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

    /// <exception cref="DovetailException">A file cannot be read, or is not such JSON, or one of a newer schema.</exception>
    public static LatencyTable Load(IEnumerable<string> paths)
    {
        var table = new LatencyTable();
        foreach (string path in paths)
        {
            try
            {
                table.Add(path, Read(path));
            }
            catch (JsonException error)
            {
                throw new DovetailException(
                    $"'{path}' holds no measured latencies, expected a JSON object with layers, "
                    + $"each with name, pattern, dense_us and packed_us: {JsonFault.Describe(error)}.", error);
            }
            catch (PatternException error)
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

    private static MeasuredLatencies Read(string path)
    {
        MeasuredLatencies measured = JsonSerializer.Deserialize(
            UserFile.ReadAllBytes(path, UserFile.LargestText), MeasuredLatenciesContext.Default.MeasuredLatencies)
            ?? throw new JsonException("it holds null.");
        if (measured.Layers.Contains(null!)) // which the serializer lets pass in a list
            throw new JsonException("a layer is null.");
        return measured.SchemaVersion is { } found && found > MeasuredLatencies.NewestSchema
            ? throw new DovetailException(
                $"'{path}' has schema_version {found}, and this version reads up to {MeasuredLatencies.NewestSchema}. "
                + "Update dovetail, or run 'dovetail bench' again.")
            : measured;
    }

    private void Add(string path, MeasuredLatencies measured)
    {
        foreach (MeasuredLayer layer in measured.Layers)
        {
            Add(path, layer.Name, ComplementaryPattern.Dense, layer.DenseUs);
            Add(path, layer.Name, ComplementaryPattern.Parse(layer.Pattern), layer.PackedUs);
        }
    }

    private void Add(string path, string layer, ComplementaryPattern pattern, double microseconds)
    {
        if (!(microseconds > 0 && microseconds < 1e12))
            throw new DovetailException($"'{path}': layer '{layer}' takes {microseconds} µs under {pattern}, expected a positive time.");
        long nanoseconds = (long)Math.Ceiling(microseconds * 1e3);
        if (!_nanoseconds.TryGetValue((layer, pattern), out long known) || nanoseconds < known)
            _nanoseconds[(layer, pattern)] = nanoseconds;
    }
}
