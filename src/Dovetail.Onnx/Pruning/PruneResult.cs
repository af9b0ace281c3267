using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Permute;

namespace Dovetail.Onnx.Pruning;

/// <summary>A pruned model and what became of each layer.</summary>
/// <param name="DenseCost">Of the dense network in the unit of the allocation's budget; 0 without one.</param>
public sealed record PruneResult(OnnxModel Model, IReadOnlyList<PrunedLayer> Layers, LayerAllocation? Allocation, long DenseCost)
{
    /// <summary>Zeros among the weights of all layers.</summary>
    public double Sparsity => Layers.Sum(layer => (layer.Pattern?.Sparsity ?? 0) * layer.Shape.Count) / Math.Max(1, Layers.Sum(layer => (long)layer.Shape.Count));
}

/// <param name="Pattern">Null where the layer stays dense.</param>
/// <param name="DenseReason">Why it does.</param>
/// <param name="CapturedEnergy">Share of Σw² that was kept.</param>
/// <param name="Order">What became of its order of channels; null where none was asked for.</param>
public sealed record PrunedLayer(string Name, WeightShape Shape, ComplementaryPattern? Pattern, string? DenseReason, double CapturedEnergy, PermutedLayer? Order);
