using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Cli.Codesign;

/// <summary>Declares in a trained model which layers have the pattern, so that pack and verify know: all that it fits but the head.</summary>
internal static class DeclaredByTraining
{
    public static void Write(OnnxModel model, ComplementaryPattern pattern)
    {
        string? head = WeightLayers.FindHead(WeightLayers.Find(model))?.Name;
        LayerPatterns.Declare(model, WeightLayers.FindFitting(model, pattern).Where(layer => layer.Name != head).ToDictionary(layer => layer.Name, _ => pattern));
    }
}
