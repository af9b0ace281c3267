using Dovetail.Core.Patterns;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>What becomes of a layer with weights.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Shape">Of its weights.</param>
/// <param name="Pattern">Null where it stays dense.</param>
/// <param name="DenseReason">Why it stays dense; null where it is packed.</param>
/// <param name="DenseBytes">Its weights before (float or int8), without bias.</param>
/// <param name="PackedBytes">Values, owners and scales after, whatever kernel reads them; equal to DenseBytes where it stays dense.</param>
public sealed record LayerPlan(
    string Name, WeightShape Shape, ComplementaryPattern? Pattern, string? DenseReason, long DenseBytes, long PackedBytes)
{
    /// <summary>Of a layer that can be packed, where <see cref="PackingOptions.Faster"/> asked for it and its sizes are fixed.</summary>
    public LayerPrediction? Prediction { get; init; }

    /// <summary>The first layer that reads the same weights; null where that is this one itself, or no other does.</summary>
    public string? SharedWith { get; init; }

    public bool IsPacked => Pattern is not null;

    /// <summary>The same layer dense after all.</summary>
    internal LayerPlan KeepDense(string reason) => this with { Pattern = null, DenseReason = reason, PackedBytes = DenseBytes };
}
