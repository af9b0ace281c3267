using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Permute;

namespace Dovetail.Onnx.Pruning;

/// <summary>A pruned model, which declares its patterns, and what became of each layer.</summary>
/// <param name="Layers">In graph order.</param>
/// <param name="Allocation">Null where the patterns were given.</param>
public sealed record PruningResult(OnnxModel Model, IReadOnlyList<PrunedLayer> Layers, LayerAllocation? Allocation)
{
    /// <summary>Share of zeros among the weights of all layers, by their patterns.</summary>
    public double Sparsity =>
        Layers.Sum(layer => (layer.Pattern?.Sparsity ?? 0) * layer.Shape.Count) / Math.Max(1, Layers.Sum(layer => (long)layer.Shape.Count));
}

/// <param name="Pattern">Null where the layer stays dense.</param>
/// <param name="Dense">Why it does; null where it is pruned.</param>
/// <param name="Mask">True where a weight is kept, in matrix order; null where it stays dense. What packing finds are its owners.</param>
/// <param name="CapturedEnergy">Share of Σw², of the weights before, that the mask keeps; 1 where it stays dense.</param>
/// <param name="Order">What became of its order of channels; null where none was asked for.</param>
public sealed record PrunedLayer(
    string Name, WeightShape Shape, ComplementaryPattern? Pattern, DenseReason? Dense, bool[]? Mask, double CapturedEnergy,
    PermutedLayer? Order);
