using Dovetail.Training.Graph;
using Dovetail.Training.Sparsity;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Optimization;

/// <summary>
/// Stochastic gradient descent with Nesterov's momentum, on shadows where a weight has one.
/// 1. g = ∂L/∂W + decay·S, and outside the mask + λ·S: as W = S·mask, that is λ·(S − W).
/// 2. A frozen weight moves inside its mask only: g = g·mask.
/// 3. v = μ·v + g;  S = S − rate·(g + μ·v);  W = S·mask.
/// </summary>
internal sealed class NesterovSgd : IDisposable
{
    private readonly List<Slot> _slots = [];
    private readonly TrainingOptions _options;

    public NesterovSgd(TrainableGraph graph, IReadOnlyList<SparseWeight> sparse, TrainingOptions options)
    {
        _options = options;
        HashSet<string> decayed = [.. graph.Tensors.Where(t => t.IsDecayed).Select(t => t.Name)];
        foreach ((string name, Tensor leaf) in graph.Parameters)
        {
            SparseWeight? weight = sparse.FirstOrDefault(w => w.WeightName == name);
            Tensor target = weight?.Shadow ?? leaf;
            Tensor momentum = zeros_like(target, requires_grad: false).DetachFromDisposeScope();
            _slots.Add(new Slot(name, leaf, target, momentum, weight, decayed.Contains(name) ? options.WeightDecay : 0));
        }
    }

    /// <summary>v of each parameter, by name.</summary>
    public IEnumerable<(string Name, Tensor Momentum)> Momenta => _slots.Select(s => (s.Name, s.Momentum));

    /// <summary>Moves every parameter that has a gradient, and forgets the gradients.</summary>
    public void Step(double rate)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        foreach (Slot slot in _slots)
        {
            if (slot.Leaf.grad is not { } g)
                continue;
            if (slot.Decay != 0)
                g.add_(slot.Target, alpha: slot.Decay);
            if (slot.Weight is { IsFrozen: true })
                g.mul_(slot.Weight.Mask);
            else if (slot.Weight is not null && _options.MaskDecay != 0)
                g.add_(slot.Target.sub(slot.Leaf), alpha: _options.MaskDecay);
            slot.Momentum.mul_(_options.Momentum).add_(g);
            slot.Target.add_(g.add_(slot.Momentum, alpha: _options.Momentum), alpha: -rate);
            slot.Weight?.Apply();
            slot.Leaf.grad = null;
        }
    }

    /// <summary>Cuts the momentum of frozen weights to their masks.</summary>
    public void CutFrozen()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Slot slot in _slots)
            if (slot.Weight is { IsFrozen: true } weight)
                slot.Momentum.mul_(weight.Mask);
    }

    public void Dispose() => _slots.ForEach(s => s.Momentum.Dispose());

    private sealed record Slot(string Name, Tensor Leaf, Tensor Target, Tensor Momentum, SparseWeight? Weight, double Decay);
}
