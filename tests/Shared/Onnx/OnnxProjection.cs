using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Tests;

/// <summary>Weights of a model brought onto a pattern by magnitude, in place; nothing is declared.</summary>
internal static class OnnxProjection
{
    /// <summary>Every layer that the pattern fits.</summary>
    public static OnnxModel ProjectOnto(this OnnxModel model, ComplementaryPattern pattern)
    {
        foreach (WeightLayer layer in WeightLayers.FindFitting(model, pattern))
            layer.ProjectOnto(pattern);
        return model;
    }

    public static void ProjectOnto(this WeightLayer layer, ComplementaryPattern pattern)
    {
        float[] weights = layer.GetWeights();
        bool[] mask = Projection.ByMagnitude(weights, new CellLayout(pattern, layer.Shape));
        layer.SetWeights([.. weights.Select((weight, i) => mask[i] ? weight : 0)]);
    }
}
