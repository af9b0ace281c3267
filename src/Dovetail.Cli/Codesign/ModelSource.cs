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
}
