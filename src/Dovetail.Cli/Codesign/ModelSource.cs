using Dovetail.Core;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Cli.Codesign;

/// <summary>Models by "zoo:NAME" (random weights from the seed) or by file.</summary>
internal static class ModelSource
{
    private const string ZooPrefix = "zoo:";

    public static OnnxModel Load(string source, int seed) => source.StartsWith(ZooPrefix, StringComparison.Ordinal)
        ? ZooModels.Create(source[ZooPrefix.Length..], seed)
        : OnnxModel.Load(source);

    /// <summary>For verbs whose answer is about a file: its bytes, its trained weights.</summary>
    /// <param name="pattern">The verb needs sparse weights: with which pattern to write them.</param>
    /// <exception cref="DovetailException">The source is a network of the zoo; the message says how to make a file of it.</exception>
    public static void CheckFile(string source, string? pattern = null)
    {
        if (!source.StartsWith(ZooPrefix, StringComparison.Ordinal) || File.Exists(source))
            return;
        string name = source[ZooPrefix.Length..];
        throw new DovetailException(
            $"'{source}' is a network of the zoo, expected a file. Write it first: dovetail zoo write {name} "
            + $"{name}.onnx{(pattern is null ? "" : $" --pattern {pattern}")}, then give {name}.onnx.");
    }
}
