using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Tests;

/// <summary>The zoo's small network projected onto a pattern where it fits, and its packed files.</summary>
internal static class SparseModels
{
    public static OnnxModel Sparse(string pattern) => ZooModels.Create("fashion-cnn", 1).ProjectOnto(ComplementaryPattern.Parse(pattern));

    /// <summary>In QDQ form, every tensor within −4 and 4.</summary>
    public static OnnxModel Int8(string pattern)
    {
        OnnxModel model = Sparse(pattern);
        IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(model);
        return QuantizationPass.Quantize(model, tensors.ToDictionary(tensor => tensor, _ => (Min: -4f, Max: 4f)));
    }

    public static OnnxModel PackedInt8(string pattern) => PackingPass.Pack(Int8(pattern), ComplementaryPattern.Parse(pattern)).Model;

    public static OnnxModel Packed(string pattern) => PackingPass.Pack(Sparse(pattern), ComplementaryPattern.Parse(pattern)).Model;
}
