using System.Text.Json;
using System.Text.Json.Serialization;
using Dovetail.Core.Files;
using Dovetail.Data.Tensors;

namespace Dovetail.Cli.Commands.Run;

/// <summary>Writes outputs of a model: one as .npy, or all of them as JSON.</summary>
internal static class OutputFile
{
    private static readonly JsonSerializerOptions s_json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Checks "[NAME=]FILE.npy|.json" before anything runs.</summary>
    /// <returns>The file, and the output that it takes; null: all of them, JSON.</returns>
    /// <exception cref="TensorFileException">There is no such output or form.</exception>
    public static (string Path, string? Output) Parse(string argument, IReadOnlyList<string> outputNames)
    {
        int at = argument.IndexOf('=');
        bool named = at > 0 && outputNames.Contains(argument[..at]);
        if (at > 0 && !named)
            throw new TensorFileException($"--output {argument}: the model has no output '{argument[..at]}', expected one of "
                + $"{string.Join(", ", outputNames)}.");
        string path = named ? argument[(at + 1)..] : argument;
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".json":
                return (path, named ? argument[..at] : null);
            case ".npy" when named || outputNames.Count == 1:
                return (path, named ? argument[..at] : outputNames[0]);
            case ".npy":
                throw new TensorFileException($"--output {argument}: the model has the outputs {string.Join(", ", outputNames)}, and a "
                    + $".npy file holds one; say which with NAME={path}, or write all of them as .json.");
            default:
                throw new TensorFileException($"--output {argument}: expected a file that ends in .npy or .json.");
        }
    }

    public static void Write(string path, string? output, IReadOnlyList<string> names, IReadOnlyList<FileTensor> tensors)
    {
        if (Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase))
        {
            NpyFile.Write(path, tensors[names.ToList().IndexOf(output!)]);
            return;
        }

        var selected = names.Zip(tensors).Where(entry => output is null || entry.First == output)
            .ToDictionary(entry => entry.First, entry => new { shape = entry.Second.Shape, data = Elements(entry.Second.Values) });
        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(new { outputs = selected }, s_json) + "\n");
    }

    // Bytes as numbers: as byte[] they would become base64.
    private static object Elements(Array values) => values is byte[] bytes ? Array.ConvertAll(bytes, value => (int)value) : values;
}
