using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Rewriting;
using Dovetail.Onnx.Rewriting.Packing;
using Dovetail.Onnx.Zoo;

namespace Dovetail.Cli.Tests.Inspection;

/// <summary>The zoo's small network projected onto a pattern where it fits, and its packed files.</summary>
internal static class SparseModels
{
    public static OnnxModel Sparse(string pattern)
    {
        OnnxModel model = ZooModels.Create("fashion-cnn", 1);
        var parsed = ComplementaryPattern.Parse(pattern);
        foreach (WeightLayer layer in WeightLayers.FindFitting(model, parsed))
        {
            float[] weights = layer.GetWeights();
            bool[] mask = Projection.Project(Array.ConvertAll(weights, w => w * w), parsed, layer.Shape);
            layer.SetWeights(weights.Select((w, i) => mask[i] ? w : 0).ToArray());
        }

        return model;
    }

    public static OnnxModel Packed(string pattern) => PackingPass.Pack(Sparse(pattern), ComplementaryPattern.Parse(pattern)).Model;
}
