using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>A packed model and what became of each layer with weights.</summary>
public sealed record PackingResult(OnnxModel Model, IReadOnlyList<PackedLayerReport> Layers);

/// <summary>What became of a layer.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Pattern">Null where it stayed dense.</param>
/// <param name="DenseReason">Why it stayed dense; null where it was packed.</param>
/// <param name="DenseBytes">Its weights before (float or int8), without bias.</param>
/// <param name="PackedBytes">Values and owners after; equal to DenseBytes where it stayed dense.</param>
public sealed record PackedLayerReport(string Name, ComplementaryPattern? Pattern, string? DenseReason, long DenseBytes, long PackedBytes)
{
    /// <summary>Of a layer that can be packed, where <see cref="PackingOptions.Faster"/> asked for it and its sizes are fixed.</summary>
    public LayerPrediction? Prediction { get; init; }
}
