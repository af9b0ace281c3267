using System.Buffers.Binary;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Inspection;

/// <summary>
/// A file with weights, ONNX or safetensors, told apart by content. Weights are read when they are asked for,
/// so that a large file needs the memory of its largest layer; valid until it is disposed.
/// </summary>
public sealed class WeightFile : IDisposable
{
    private WeightFile(OnnxModel? model, SafetensorsFile? safetensors) => (Model, Safetensors) = (model, safetensors);

    /// <summary>Null for safetensors.</summary>
    public OnnxModel? Model { get; }

    /// <summary>Null for ONNX.</summary>
    public SafetensorsFile? Safetensors { get; }

    public bool IsPacked => (Model is null ? (bool?)null : PackedWeights.Nodes(Model).Any())
        ?? (Safetensors!.Metadata.TryGetValue("format", out string? format) && format == PackedSafetensors.Format);

    /// <summary>Bytes of the file, links followed and the files of external data included.</summary>
    public long FileBytes => Model?.SourceBytes ?? Safetensors!.FileLength;

    /// <summary>"onnx", "packed onnx", "safetensors" or "packed safetensors".</summary>
    public string Format => (IsPacked ? "packed " : "") + (Model is null ? "safetensors" : "onnx");

    /// <summary>The pattern that the file's metadata declare for its layers; null where they do not.</summary>
    /// <exception cref="PatternException">They hold a text that is no pattern.</exception>
    public SparsityPattern? DeclaredPattern
    {
        get
        {
            string? text = Model is null
                ? Safetensors!.Metadata.GetValueOrDefault(Layers.LayerPatterns.CommonMetadata)
                : Model.FindMetadata(Layers.LayerPatterns.CommonMetadata);
            return text is null ? null : SparsityPattern.Parse(text);
        }
    }

    /// <summary>The patterns that an ONNX file declares layer by layer; null where it does not.</summary>
    /// <exception cref="DovetailException">They cannot be understood.</exception>
    public IReadOnlyDictionary<string, ComplementaryPattern>? LayerPatterns => Model is null ? null : Layers.LayerPatterns.Find(Model);

    /// <summary>The pattern that the file declares for a layer of dense storage; null where it declares none, or it dense.</summary>
    public SparsityPattern? DeclaredFor(string layer) => LayerPatterns is { } layers ? layers.GetValueOrDefault(layer) : DeclaredPattern;

    /// <exception cref="DovetailException">There is no such file, or it is neither ONNX nor safetensors.</exception>
    public static WeightFile Open(string path)
    {
        if (Directory.Exists(path))
            throw new DovetailException($"'{path}' is a folder, expected an ONNX or a safetensors file.");
        if (!File.Exists(path))
            throw new DovetailException($"There is no file '{path}', expected an ONNX or a safetensors file.");
        if (IsSafetensors(path))
            return new WeightFile(null, SafetensorsFile.Open(path));
        OnnxModel model = OnnxModel.Load(path);
        model.NameNodes();
        return new WeightFile(model, null);
    }

    /// <summary>The layers, in file order (packed safetensors: packed ones first).</summary>
    /// <exception cref="DovetailException">A layer cannot be read.</exception>
    public IReadOnlyList<WeightEntry> ReadEntries() =>
        Model is null ? SafetensorsWeights.Read(Safetensors!, IsPacked) : OnnxWeights.Read(Model);

    public void Dispose() => Safetensors?.Dispose();

    // 1. By name, so that a damaged safetensors file gets a message that speaks of safetensors.
    // 2. By content: eight bytes of header length, then a JSON object. In ONNX those bytes are no length that fits.
    private static bool IsSafetensors(string path)
    {
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            return true;
        Span<byte> start = stackalloc byte[9];
        try
        {
            using FileStream stream = UserFile.OpenRead(path);
            return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
                && start[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(start) <= (ulong)stream.Length;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DovetailException($"'{path}' cannot be read: {error.Message}", error);
        }
    }
}
