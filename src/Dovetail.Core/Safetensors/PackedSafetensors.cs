using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Core.Safetensors;

/// <summary>
/// Packed weights in a safetensors file (docs/format.md). Weights X are
/// <c>X.weight_packed</c> (values, [ValueRows, ValueColumns], F32, F16, BF16 or I8),
/// <c>X.weight_index</c> (owners, U8 [OwnerRows, RowBytes]), <c>X.weight_shape</c> (I64, the dense shape) and,
/// for I8, <c>X.weight_scale</c> (F32 [outputs]). The metadata say <c>format</c>, <c>format_version</c> and
/// <c>sparsity_config</c>: a JSON object with, for each X, structure ("4:64"), axis, arrangement, share and
/// groups (convolution groups). Other tensors may stand beside them. Everything is checked on reading.
/// </summary>
public static class PackedSafetensors
{
    public const string Format = "dovetail.packed";
    public const string FormatVersion = "1";

    private const string FormatKey = "format", VersionKey = "format_version", ConfigKey = "sparsity_config";
    private const string Values = ".weight_packed", Index = ".weight_index", Shape = ".weight_shape", Scale = ".weight_scale";

    /// <summary>Writes packed weights, replacing the file at once.</summary>
    /// <param name="weights">By name; every name gets the suffixes above.</param>
    /// <param name="others">Further tensors, e.g. biases; no name may end in one of the suffixes.</param>
    /// <param name="metadata">Further metadata.</param>
    public static void Write(
        string path, IReadOnlyDictionary<string, PackedTensor> weights,
        IEnumerable<SafetensorsEntry>? others = null, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsWriter.Write(path, Entries(weights, others), Describe(weights, metadata));

    /// <summary>Writes packed weights to a stream that can seek.</summary>
    public static void Write(
        Stream stream, IReadOnlyDictionary<string, PackedTensor> weights,
        IEnumerable<SafetensorsEntry>? others = null, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsWriter.Write(stream, Entries(weights, others), Describe(weights, metadata));

    /// <summary>Reads the packed weights of a file and checks every field.</summary>
    /// <param name="verifyPayload">Also check the data against their SHA-256.</param>
    /// <exception cref="DovetailException">The file is not valid, or a tensor is not a packing.</exception>
    public static SortedDictionary<string, PackedTensor> Read(string path, bool verifyPayload = false)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (verifyPayload)
            file.VerifyPayload();
        return Read(file);
    }

    /// <summary>Reads the packed weights of an open file and checks every field. Other tensors are left to the caller.</summary>
    public static SortedDictionary<string, PackedTensor> Read(SafetensorsFile file)
    {
        SortedDictionary<string, Config> configs = ReadConfigs(file);
        var weights = new SortedDictionary<string, PackedTensor>(StringComparer.Ordinal);
        foreach ((string name, Config config) in configs)
        {
            try
            {
                weights.Add(name, ReadTensor(file, name, ReadLayout(file, name, config)));
            }
            catch (DovetailException error) when (error is PatternException or PackingException)
            {
                throw new SafetensorsException(error.Message, error, tensor: name);
            }
        }

        foreach (SafetensorsTensor tensor in file.Tensors)
            if (Owner(tensor.Name) is { } owner && !configs.ContainsKey(owner))
                throw new SafetensorsException(
                    $"{ConfigKey} has no entry for '{SafetensorsException.Shorten(owner)}'.", tensor: tensor.Name);
        return weights;
    }

    /// <summary>What the file declares of its packed weights, by name: pattern and dense shape. Values and owners are not read.</summary>
    /// <exception cref="DovetailException">The metadata or a shape cannot be understood.</exception>
    public static SortedDictionary<string, CellLayout> ReadLayouts(SafetensorsFile file)
    {
        var layouts = new SortedDictionary<string, CellLayout>(StringComparer.Ordinal);
        foreach ((string name, Config config) in ReadConfigs(file))
        {
            try
            {
                layouts.Add(name, ReadLayout(file, name, config));
            }
            catch (PatternException error)
            {
                throw new SafetensorsException(error.Message, error, tensor: name);
            }
        }

        return layouts;
    }

    private static SortedDictionary<string, Config> ReadConfigs(SafetensorsFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        Expect(file, FormatKey, Format);
        Expect(file, VersionKey, FormatVersion);
        return ParseConfigs(Metadata(file, ConfigKey));
    }

    private static IEnumerable<SafetensorsEntry> Entries(
        IReadOnlyDictionary<string, PackedTensor> weights, IEnumerable<SafetensorsEntry>? others)
    {
        ArgumentNullException.ThrowIfNull(weights);
        foreach ((string name, PackedTensor packed) in weights)
        {
            CellLayout layout = packed.Layout;
            long[] shape = [.. packed.Shape.Dimensions.Select(dimension => (long)dimension)];
            int rowBytes = OwnerCodec.RowBytes(layout.OwnerColumns, packed.Pattern.IndexBits);
            yield return new SafetensorsEntry(
                name + Values, FileType(packed.DType), [layout.ValueRows, layout.ValueColumns], stream => stream.Write(packed.ValueBytes));
            yield return new SafetensorsEntry(
                name + Index, SafetensorsDType.U8, [layout.OwnerRows, rowBytes], stream => stream.Write(packed.EncodeOwners()));
            yield return SafetensorsEntry.Of<long>(name + Shape, SafetensorsDType.I64, [shape.Length], shape);
            if (packed.Scales is { } scales)
                yield return SafetensorsEntry.Of<float>(name + Scale, SafetensorsDType.F32, [scales.Length], scales);
        }

        foreach (SafetensorsEntry other in others ?? [])
        {
            if (Owner(other.Name) is not null)
                throw new SafetensorsException("The name ends like a part of packed weights; rename the tensor.", tensor: other.Name);
            yield return other;
        }
    }

    private static Dictionary<string, string> Describe(
        IReadOnlyDictionary<string, PackedTensor> weights, IReadOnlyDictionary<string, string>? metadata)
    {
        var all = new Dictionary<string, string>(metadata ?? ImmutableDictionary<string, string>.Empty, StringComparer.Ordinal);
        string config = FormatConfigs(weights);
        foreach ((string key, string value) in ((string, string)[])[(FormatKey, Format), (VersionKey, FormatVersion), (ConfigKey, config)])
            if (!all.TryAdd(key, value))
                throw new SafetensorsException($"The metadata key '{key}' is the writer's own; leave it out.");
        return all;
    }

    private static string FormatConfigs(IReadOnlyDictionary<string, PackedTensor> weights)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, SafetensorsWriter.HeaderJson))
        {
            json.WriteStartObject();
            foreach ((string name, PackedTensor packed) in weights.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                ComplementaryPattern pattern = packed.Pattern;
                json.WriteStartObject(name);
                json.WriteString("structure", string.Create(CultureInfo.InvariantCulture, $"{pattern.Keep}:{pattern.Group}"));
                json.WriteString("axis", pattern.Axis == CellAxis.Input ? "input" : "output");
                json.WriteString("arrangement", pattern.Arrangement == Arrangement.Contiguous ? "contiguous" : "strided");
                json.WriteNumber("share", pattern.Share);
                json.WriteNumber("groups", packed.Shape.Groups);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    private static SortedDictionary<string, Config> ParseConfigs(string text)
    {
        var configs = new SortedDictionary<string, Config>(StringComparer.Ordinal);
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new SafetensorsException(
                    $"{ConfigKey} is a JSON {json.RootElement.ValueKind}, expected an object with an entry for each packed weight.");
            foreach (JsonProperty entry in json.RootElement.EnumerateObject())
                if (!configs.TryAdd(entry.Name, Config.Parse(entry)))
                    throw new SafetensorsException($"{ConfigKey} has two entries of one name.", tensor: entry.Name);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the latter: an escaped lone surrogate
        {
            throw new SafetensorsException($"{ConfigKey} is not JSON: {error.Message}", error);
        }

        return configs;
    }

    private static CellLayout ReadLayout(SafetensorsFile file, string name, Config config)
    {
        SafetensorsTensor shape = Expect(file, name + Shape, SafetensorsDType.I64, null);
        if (shape.Shape.Length != 1)
            throw new SafetensorsException($"The shape is a tensor of rank {shape.Shape.Length}, expected a vector.", tensor: shape.Name);
        long[] dimensions = file.ToArray<long>(shape);
        if (dimensions.Any(dimension => dimension is < 1 or > int.MaxValue))
            throw new SafetensorsException($"The dense shape is {SafetensorsTensor.Format(dimensions)}, expected dimensions from 1 to "
                + "2^31 - 1.", tensor: shape.Name);
        return new CellLayout(config.Pattern, new WeightShape([.. dimensions.Select(dimension => (int)dimension)], config.Groups));
    }

    private static PackedTensor ReadTensor(SafetensorsFile file, string name, CellLayout layout)
    {
        int rowBytes = OwnerCodec.RowBytes(layout.OwnerColumns, layout.Pattern.IndexBits);
        SafetensorsTensor index = Expect(file, name + Index, SafetensorsDType.U8, [layout.OwnerRows, rowBytes]);
        SafetensorsTensor values = Expect(file, name + Values, null, [layout.ValueRows, layout.ValueColumns]);
        float[]? scales = null;
        if (values.DType == SafetensorsDType.I8 && file.Find(name + Scale) is not null)
        {
            scales = file.ToArray<float>(Expect(file, name + Scale, SafetensorsDType.F32, [layout.Shape.Outputs]));
            if (Array.FindIndex(scales, scale => !float.IsFinite(scale) || scale < 0) is >= 0 and int bad)
                throw new SafetensorsException(
                    $"The scale of output {bad} is {scales[bad]}, expected a finite number of at least 0.", tensor: name + Scale);
        }
        else if (file.Find(name + Scale) is not null)
        {
            throw new SafetensorsException(
                $"Scales stand beside {values.DType.FileName()} values, expected them only beside I8.", tensor: name + Scale);
        }

        byte[] owners = OwnerCodec.Decode(file.Bytes(index), layout.OwnerRows, layout.OwnerColumns, layout.Pattern.IndexBits);
        return values.DType switch
        {
            SafetensorsDType.F32 => new PackedTensor<float>(layout, file.ToArray<float>(values), owners),
            SafetensorsDType.F16 => new PackedTensor<Half>(layout, file.ToArray<Half>(values), owners),
            SafetensorsDType.BF16 => new PackedTensor<BFloat16>(layout, file.ToArray<BFloat16>(values), owners),
            SafetensorsDType.I8 => new PackedTensor<sbyte>(layout, file.ToArray<sbyte>(values), owners, scales),
            _ => throw new SafetensorsException(
                $"The values are {values.DType.FileName()}, expected F32, F16, BF16 or I8.", tensor: values.Name),
        };
    }

    private static SafetensorsDType FileType(DType type) => type switch
    {
        DType.Float32 => SafetensorsDType.F32,
        DType.Float16 => SafetensorsDType.F16,
        DType.BFloat16 => SafetensorsDType.BF16,
        _ => SafetensorsDType.I8,
    };

    /// <summary>X if the name is a part of packed weights X.</summary>
    private static string? Owner(string name)
    {
        foreach (string suffix in (ReadOnlySpan<string>)[Values, Index, Shape, Scale])
            if (name.EndsWith(suffix, StringComparison.Ordinal))
                return name[..^suffix.Length];
        return null;
    }

    private static string Metadata(SafetensorsFile file, string key) => file.Metadata.TryGetValue(key, out string? value)
        ? value
        : throw new SafetensorsException($"The metadata has no '{key}'. This is a safetensors file, but not one of packed weights.");

    private static void Expect(SafetensorsFile file, string key, string expected)
    {
        string found = Metadata(file, key);
        if (found != expected)
            throw new SafetensorsException(
                $"{file.Name}: the metadata say {key} '{SafetensorsException.Shorten(found)}', expected '{expected}'. "
                + (key == VersionKey
                    ? "A newer Dovetail wrote it: update, or pack its source again with this one."
                    : "Give a file that 'dovetail pack --safetensors' wrote."));
    }

    private static SafetensorsTensor Expect(SafetensorsFile file, string name, SafetensorsDType? type, long[]? shape)
    {
        SafetensorsTensor tensor = file.Get(name);
        if (type is not null && tensor.DType != type)
            throw new SafetensorsException($"The tensor is {tensor.DType.FileName()}, expected {type.Value.FileName()}.", tensor: name);
        if (shape is not null && !tensor.Shape.AsSpan().SequenceEqual(shape))
            throw new SafetensorsException($"The tensor has the shape {SafetensorsTensor.Format(tensor.Shape.AsSpan())}, expected "
                + $"{SafetensorsTensor.Format(shape)} by its pattern and dense shape.", tensor: name);
        return tensor;
    }

    /// <summary>What sparsity_config says of one packed weight.</summary>
    private sealed record Config(ComplementaryPattern Pattern, int Groups)
    {
        internal static Config Parse(JsonProperty entry)
        {
            string name = entry.Name;
            if (entry.Value.ValueKind != JsonValueKind.Object)
                throw new SafetensorsException($"{ConfigKey} is a JSON {entry.Value.ValueKind} here, expected an object.", tensor: name);
            var fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (JsonProperty field in entry.Value.EnumerateObject())
            {
                if (field.Name is not ("structure" or "axis" or "arrangement" or "share" or "groups"))
                    throw new SafetensorsException($"{ConfigKey} has the unknown field '{SafetensorsException.Shorten(field.Name)}', "
                        + "expected structure, axis, arrangement, share and groups.", tensor: name);
                if (!fields.TryAdd(field.Name, field.Value))
                    throw new SafetensorsException($"{ConfigKey} has the field '{field.Name}' twice.", tensor: name);
            }

            string structure = Text("structure");
            if (structure.Any(letter => letter is not (':' or (>= '0' and <= '9'))))
                throw new SafetensorsException(
                    $"structure is '{SafetensorsException.Shorten(structure)}', expected keep:group, e.g. \"4:64\".", tensor: name);
            CellAxis axis = Text("axis") switch
            {
                "input" => CellAxis.Input,
                "output" => CellAxis.Output,
                string other =>
                    throw new SafetensorsException(
                        $"axis is '{SafetensorsException.Shorten(other)}', expected \"input\" or \"output\".", tensor: name),
            };
            Arrangement arrangement = Text("arrangement") switch
            {
                "contiguous" => Arrangement.Contiguous,
                "strided" => Arrangement.Strided,
                string other =>
                    throw new SafetensorsException(
                        $"arrangement is '{SafetensorsException.Shorten(other)}', expected \"contiguous\" or \"strided\".", tensor: name),
            };
            try
            {
                ComplementaryPattern cell = ComplementaryPattern.Parse(structure);
                return new Config(new ComplementaryPattern(cell.Keep, cell.Group, axis, arrangement, Number("share")), Number("groups"));
            }
            catch (PatternException error)
            {
                throw new SafetensorsException(error.Message, error, tensor: name);
            }

            JsonElement Field(string field, JsonValueKind kind) =>
                fields.TryGetValue(field, out JsonElement value) && value.ValueKind == kind
                    ? value
                    : throw new SafetensorsException($"{ConfigKey} has no {kind.ToString().ToLowerInvariant()} '{field}'.", tensor: name);

            string Text(string field) => Field(field, JsonValueKind.String).GetString()!;

            int Number(string field) => Field(field, JsonValueKind.Number).TryGetInt32(out int number) && number >= 1
                ? number
                : throw new SafetensorsException(
                    $"{field} is {SafetensorsException.Shorten(fields[field].GetRawText())}, expected a positive integer.", tensor: name);
        }
    }
}
