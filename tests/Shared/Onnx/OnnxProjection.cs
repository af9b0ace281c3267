using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Tests;

/// <summary>Weights of a model brought onto a pattern by magnitude.</summary>
internal static class OnnxProjection
{
    /// <summary>Every layer that the pattern fits, in place.</summary>
    public static OnnxModel ProjectOnto(this OnnxModel model, ComplementaryPattern pattern)
    {
        foreach (WeightLayer layer in WeightLayers.FindFitting(model, pattern))
            layer.ProjectOnto(pattern);
        return model;
    }

    public static void ProjectOnto(this WeightLayer layer, ComplementaryPattern pattern)
    {
        float[] weights = layer.GetWeights();
        bool[] mask = Projection.Project(Array.ConvertAll(weights, MathF.Abs), new CellLayout(pattern, layer.Shape));
        for (int i = 0; i < weights.Length; i++)
            weights[i] = mask[i] ? weights[i] : 0;
        layer.SetWeights(weights);
    }
}
