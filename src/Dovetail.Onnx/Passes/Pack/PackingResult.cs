using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>A packed model and the plan that it was written by.</summary>
public sealed record PackingResult(OnnxModel Model, PackingPlan Plan)
{
    /// <inheritdoc cref="PackingPlan.Layers"/>
    public IReadOnlyList<LayerPlan> Layers => Plan.Layers;
}
