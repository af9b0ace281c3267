using Dovetail.Core;
using Dovetail.Core.Allocation;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Pruning;

/// <summary>
/// Gives each layer of a model one of some patterns so that the network stays within a budget of multiply-accumulates, bytes
/// or latency.
/// </summary>
internal static class AllocationPass
{
    /// <param name="model">Floating-point weights: trained, dense. Nodes without a name get one; nothing else changes.</param>
    /// <param name="candidates">Every layer may also stay dense.</param>
    /// <param name="budget">For all layers with weights, in the unit of the cost.</param>
    /// <param name="cost">What a layer costs under a pattern, at least 0: <see cref="LayerCosts"/>, or a table of latencies.</param>
    /// <param name="weight">
    /// How much a layer's energy counts against other layers'; null: 1. One over Σw² makes all layers count alike.
    /// </param>
    /// <param name="allowed">Which candidates a layer may take, of those that fit it; null: all. Dense it may always stay.</param>
    /// <exception cref="DovetailException">The budget is too small, or the graph cannot be understood.</exception>
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
            _ => throw new OnnxException(
                $"There is no allocation method {(int)method}, expected one of {string.Join(", ", Enum.GetNames<AllocationMethod>())}."),
        };
        return new LayerAllocation(
            method, budget, layers.Sum(l => cost(l, ComplementaryPattern.Dense)),
            [.. layers.Zip(result.Choices, (l, c) => (l.Name, c))], result);
    }

    /// <summary>
    /// Within a budget that counts one of the usual costs; the score is each layer's captured share, so that all layers count alike.
    /// </summary>
    /// <param name="allowed">Which layers may become sparse; null: all.</param>
    /// <exception cref="DovetailException">
    /// The budget is too small, the latencies are of other layers, or the graph cannot be understood.
    /// </exception>
    public static LayerAllocation Allocate(OnnxModel model, AllocationOptions options, Func<WeightLayer, bool>? allowed = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        Func<WeightLayer, ComplementaryPattern, long> cost = Cost(options, layers);
        long dense = layers.Sum(layer => cost(layer, ComplementaryPattern.Dense));
        try
        {
            return Allocate(
                model, options.Method, options.Candidates, options.Budget.In(dense, options.Cost == CostUnit.Latency ? 1e3 : 1), cost,
                weight: layer => layer.GetWeights().Sum(w => (double)w * w) is > 0 and var energy ? 1 / energy : 1,
                allowed: (layer, pattern) => allowed?.Invoke(layer) != false && options.Latencies?.Has(layer.Name, pattern) != false);
        }
        catch (DovetailException error) when (error is not OnnxException)
        {
            string unit = options.Cost switch { CostUnit.Macs => "multiply-accumulates", CostUnit.Bytes => "bytes", _ => "nanoseconds" };
            throw new DovetailException($"{error.Message} The unit is {unit}; the dense network costs {dense}.", error);
        }
    }

    private static Func<WeightLayer, ComplementaryPattern, long> Cost(AllocationOptions options, IReadOnlyList<WeightLayer> layers)
    {
        if (options.Cost != CostUnit.Latency)
            return options.Cost == CostUnit.Macs ? LayerCosts.MultiplyAccumulates : LayerCosts.Bytes();
        LatencyTable latencies = options.Latencies ?? throw new DovetailException(
            $"The budget is a latency, and no measured ones are given, expected {nameof(AllocationOptions)}.{nameof(options.Latencies)}.");
        if (!layers.Any(layer => latencies.Layers.Contains(layer.Name)))
            throw new DovetailException(
                $"The latencies are of other layers ({string.Join(", ", latencies.Layers)}); "
                + $"this model has {string.Join(", ", layers.Select(layer => layer.Name))}.");
        return (layer, pattern) => latencies.Nanoseconds(layer.Name, pattern);
    }
}
