using Dovetail.Core.Patterns;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Sparsity;

/// <summary>
/// The weights of one layer under a mask.
/// 1. The shadow S holds all weights; the network runs on W = S·mask, which is the leaf of the graph, so that its
///    gradient is that of every entry, masked or not (the straight-through estimate; SR-STE, Zhou et al., arXiv:2102.04010).
/// 2. <see cref="Owners"/> satisfies the pattern exactly: in each cell the greatest |S|. <see cref="Mask"/> is the same,
///    or while growing the owners and the layer's greatest others, up to a density.
/// 3. Frozen, the owners stay and S = S·mask.
/// </summary>
internal sealed class SparseWeight : IDisposable
{
    private readonly TorchProjection _projection;
    private readonly Tensor _weight, _shadow;

    /// <param name="weight">The leaf; not disposed here.</param>
    public SparseWeight(string layerName, string weightName, CellLayout layout, bool inputsFirst, Tensor weight)
    {
        (LayerName, WeightName, Layout, _weight) = (layerName, weightName, layout, weight);
        _projection = new TorchProjection(layout, inputsFirst);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        _shadow = weight.detach().clone().DetachFromDisposeScope();
        Mask = ones_like(_shadow).DetachFromDisposeScope();
        Owners = _projection.Project(_shadow.abs()).DetachFromDisposeScope();
        OwnerCount = Sum(Owners);
    }

    public string LayerName { get; }

    public string WeightName { get; }

    public CellLayout Layout { get; }

    /// <summary>S, in the weight tensor's order.</summary>
    public Tensor Shadow => _shadow;

    /// <summary>1 where W is not zero by decree.</summary>
    public Tensor Mask { get; }

    /// <summary>The pattern's own mask.</summary>
    public Tensor Owners { get; }

    public bool IsFrozen { get; private set; }

    public long Count => Layout.Shape.Count;

    /// <summary>Ones of <see cref="Owners"/>, the same for any weights: keep of each cell, or all candidates where it has fewer.</summary>
    public long OwnerCount { get; }

    /// <summary>Ones of <see cref="Mask"/>.</summary>
    public long Kept => Sum(Mask);

    /// <summary>True while the mask holds more than the owners.</summary>
    public bool IsGrowing => Kept > OwnerCount;

    /// <summary>Chooses the owners anew, and the mask for a density from the pattern's to 1.</summary>
    public void Update(double density)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor scores = _shadow.abs();
        Owners.copy_(_projection.Project(scores));
        long others = Math.Min((long)Math.Round(density * Count), Count) - OwnerCount;
        Mask.copy_(Owners);
        if (others > 0)
        {
            Tensor free = scores.masked_fill_(Owners.to_type(ScalarType.Bool), -1).flatten();
            Mask.view(-1).scatter_(0, free.topk((int)others, 0, largest: true, sorted: false).Item2, ones(others));
        }

        Apply();
    }

    /// <summary>Chooses the owners anew and leaves the mask, which training goes on with.</summary>
    public void UpdateOwners()
    {
        using DisposeScope scope = NewDisposeScope();
        Owners.copy_(_projection.Project(_shadow.abs()));
    }

    /// <summary>Owners drawn at random, never to change: the baseline.</summary>
    public void FreezeAtRandom(SplitMix64 random)
    {
        using DisposeScope scope = NewDisposeScope();
        var scores = new float[Count];
        for (int i = 0; i < scores.Length; i++)
            scores[i] = (float)random.NextDouble();
        Owners.copy_(_projection.FromMatrixMask(Projection.Project(scores, Layout)));
        Freeze();
    }

    /// <summary>From now on the owners stay; S and W are cut to them.</summary>
    public void Freeze()
    {
        using DisposeScope scope = NewDisposeScope(); // in-place operations too return a tensor
        Mask.copy_(Owners);
        _shadow.mul_(Mask);
        IsFrozen = true;
        Apply();
    }

    /// <summary>W = S·mask.</summary>
    public void Apply() => Write(Mask);

    /// <summary>W = S·owners: the pattern exactly, to evaluate or export.</summary>
    public void ApplyExactly() => Write(Owners);

    /// <summary>The owners in Core's matrix order.</summary>
    public bool[] MatrixOwners() => _projection.MatrixMask(Owners);

    /// <summary>False where owners were set that break the pattern, or a mask without them.</summary>
    public bool IsFeasible
    {
        get
        {
            using DisposeScope scope = NewDisposeScope();
            return _projection.Project(Owners).eq(Owners).all().item<bool>() && Mask.ge(Owners).all().item<bool>();
        }
    }

    /// <summary>Takes up what a checkpoint holds.</summary>
    public void Restore(bool isFrozen)
    {
        IsFrozen = isFrozen;
        Apply();
    }

    public void Dispose()
    {
        _shadow.Dispose();
        Mask.Dispose();
        Owners.Dispose();
    }

    private static long Sum(Tensor mask)
    {
        using Tensor sum = mask.sum(ScalarType.Float64);
        return (long)sum.item<double>();
    }

    private void Write(Tensor mask)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        _weight.copy_(_shadow * mask);
    }
}
