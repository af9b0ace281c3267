using System.Text;
using System.Text.Json;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// The pattern of each sparse layer in the metadata of a sparse model: a JSON object under "dovetail.layer_patterns", pattern
/// by node name. A layer that is not in it is dense on purpose. Where all have one pattern, <see cref="CommonMetadata"/> holds it too.
/// </summary>
public static class LayerPatterns
{
    /// <summary>The key of the object in the model's metadata.</summary>
    public const string Metadata = "dovetail.layer_patterns";

    /// <summary>The key of the pattern that all sparse layers have; absent where they have several.</summary>
    public const string CommonMetadata = "dovetail.pattern";

    /// <summary>Replaces what the model declared before.</summary>
    /// <param name="patterns">By node name.</param>
    public static void Declare(OnnxModel model, IReadOnlyDictionary<string, ComplementaryPattern> patterns)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(patterns);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach ((string layer, ComplementaryPattern pattern) in patterns.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                json.WriteString(layer, pattern.ToString());
            json.WriteEndObject();
        }

        model.SetMetadata(Metadata, Encoding.UTF8.GetString(stream.ToArray()));
        DeclareCommon(model, patterns.Values);
    }

    /// <summary>Declares nothing more: what the model declared before is gone.</summary>
    public static void Withdraw(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.RemoveMetadata(Metadata);
        model.RemoveMetadata(CommonMetadata);
    }

    /// <returns>By node name; null where the model declares none.</returns>
    /// <exception cref="OnnxException">The metadata are not such an object.</exception>
    /// <exception cref="PatternException">A text is no pattern.</exception>
    public static IReadOnlyDictionary<string, ComplementaryPattern>? Find(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.FindMetadata(Metadata) is not { } text)
            return null;
        var patterns = new SortedDictionary<string, ComplementaryPattern>(StringComparer.Ordinal);
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new OnnxException($"The metadata '{Metadata}' are a JSON {json.RootElement.ValueKind}, expected an object with a "
                    + "pattern for each sparse layer.");
            foreach (JsonProperty layer in json.RootElement.EnumerateObject())
                patterns[layer.Name] = ComplementaryPattern.Parse(layer.Value.GetString() ?? "");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the latter: a value that is no string
        {
            throw new OnnxException($"The metadata '{Metadata}' are no JSON object of texts: {error.Message}", error);
        }

        return patterns;
    }

    internal static void DeclareCommon(OnnxModel model, IEnumerable<ComplementaryPattern> patterns)
    {
        if (patterns.Distinct().ToArray() is [var common])
            model.SetMetadata(CommonMetadata, common.ToString());
        else
            model.RemoveMetadata(CommonMetadata);
    }
}
