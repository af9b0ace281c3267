using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Cli.Tests.Commands;

/// <summary>The zoo's small network projected onto a pattern where it fits, and its packed files.</summary>
internal static class SparseModels
{
    public static OnnxModel Sparse(string pattern) => ZooModels.Create("fashion-cnn", 1).ProjectOnto(ComplementaryPattern.Parse(pattern));

    public static OnnxModel Packed(string pattern) => PackingPass.Pack(Sparse(pattern), ComplementaryPattern.Parse(pattern)).Model;
}
