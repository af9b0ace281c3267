using Dovetail.Core.Allocation;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Pruning;

/// <summary>Gives each layer of a model one of some patterns so that the network stays within a budget of multiply-accumulates, bytes or latency.</summary>
public static class AllocationPass
{
    /// <param name="model">Floating-point weights: trained, dense. Nodes without a name get one; nothing else changes.</param>
    /// <param name="candidates">Every layer may also stay dense.</param>
    /// <param name="budget">For all layers with weights, in the unit of the cost.</param>
    /// <param name="cost">What a layer costs under a pattern, at least 0: <see cref="LayerCosts"/>, or a table of latencies.</param>
    /// <param name="weight">See <see cref="LayerBudgets.Choices(OnnxModel, IReadOnlyList{ComplementaryPattern}, Func{WeightLayer, ComplementaryPattern, long}, Func{WeightLayer, double}?, Func{WeightLayer, ComplementaryPattern, bool}?)"/>.</param>
    /// <param name="allowed">Which candidates a layer may take, of those that fit it; null: all. Dense it may always stay.</param>
    /// <exception cref="Core.DovetailException">The budget is too small, or the graph cannot be understood.</exception>
    public static LayerAllocation Allocate(
        OnnxModel model, AllocationMethod method, IReadOnlyList<ComplementaryPattern> candidates, long budget,
        Func<WeightLayer, ComplementaryPattern, long> cost, Func<WeightLayer, double>? weight = null,
        Func<WeightLayer, ComplementaryPattern, bool>? allowed = null)
    {
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        IReadOnlyList<LayerChoices> choices = LayerBudgets.Choices(layers, candidates, cost, weight, allowed);
        AllocationResult result = method switch
        {
            AllocationMethod.Uniform => UniformAllocation.Choose(choices, budget),
            AllocationMethod.ErdosRenyiKernel => ErdosRenyiKernel.Choose(choices, [.. layers.Select(l => l.Shape)], budget),
            AllocationMethod.CapturedEnergy => BudgetOptimizer.Optimize(choices, budget),
            _ => throw new OnnxException($"There is no allocation method {(int)method}, expected one of {string.Join(", ", Enum.GetNames<AllocationMethod>())}."),
        };
        return new LayerAllocation(method, budget, [.. layers.Zip(result.Choices, (l, c) => (l.Name, c))], result);
    }
}
