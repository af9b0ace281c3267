using Dovetail.Core.Allocation;
using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Pruning;

/// <summary>How the budget is shared.</summary>
public enum AllocationMethod
{
    /// <summary>One pattern for all layers that it fits.</summary>
    Uniform,

    /// <summary>Erdős–Rényi-kernel densities: small layers denser.</summary>
    ErdosRenyiKernel,

    /// <summary>The greatest total captured energy, exactly.</summary>
    CapturedEnergy,
}

/// <summary>A pattern for each layer of a model, within a budget.</summary>
/// <param name="Budget">In the unit of the cost.</param>
/// <param name="DenseCost">Of the dense network, in the same unit.</param>
/// <param name="Layers">By node name, in graph order; the dense pattern where a layer stays dense.</param>
/// <param name="Result">Costs, scores and whether they are proven to be the best.</param>
public sealed record LayerAllocation(
    AllocationMethod Method, long Budget, long DenseCost, IReadOnlyList<(string Layer, LayerChoice Choice)> Layers, AllocationResult Result)
{
    /// <summary>The patterns of the layers that become sparse.</summary>
    public IReadOnlyDictionary<string, ComplementaryPattern> LayerPatterns =>
        Layers.Where(l => !l.Choice.Pattern.IsDense).ToDictionary(l => l.Layer, l => l.Choice.Pattern);
}
