using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Training.Graph;
using static TorchSharp.torch;

namespace Dovetail.Training.Sparsity;

/// <summary>The masks of a network over a training: which layers have one, and when it changes.</summary>
internal sealed class Sparsifier : IDisposable
{
    private readonly TrainingOptions _options;
    private readonly DensitySchedule _schedule;
    private readonly int _freezeStep;
    private readonly List<SparseWeight> _weights = [];
    private readonly Dictionary<string, ComplementaryPattern> _patterns = [];
    private List<Tensor>? _ownersBefore;

    /// <exception cref="PatternException">The pattern fits none of the layers.</exception>
    public Sparsifier(OnnxModel model, TrainableGraph graph, TrainingOptions options, int steps)
    {
        (_options, _schedule) = (options, new DensitySchedule(options.Pattern.Density, steps));
        _freezeStep = (int)Math.Round(options.FreezeAt * steps);
        if (options.Method == TrainingMethod.Dense)
            return;
        foreach (IGrouping<string, WeightLayer> readers in Choose(model, graph, options).GroupBy(layer => layer.WeightName))
        {
            WeightLayer first = readers.First();
            bool inputsFirst = InputsFirst(first.Node);
            var layout = new CellLayout(options.Pattern, first.Shape);
            _weights.Add(new SparseWeight(first.Name, first.WeightName, layout, inputsFirst, graph.Parameters[first.WeightName]));
            foreach (WeightLayer layer in readers.Where(layer => layer.Shape == first.Shape && InputsFirst(layer.Node) == inputsFirst))
                _patterns.Add(layer.Name, options.Pattern);
        }

        if (options.Method == TrainingMethod.Static)
            for (int i = 0; i < _weights.Count; i++)
                _weights[i].FreezeAtRandom(SplitMix64.For(options.Seed, Purpose.StaticOwners, i));
    }

    public IReadOnlyList<SparseWeight> Weights => _weights;

    /// <summary>The pattern of each layer under a mask, by node name; several layers may read one weight.</summary>
    public IReadOnlyDictionary<string, ComplementaryPattern> Patterns => _patterns;

    /// <summary>Share of weights in the masks, over all layers that have one; 1 where none has.</summary>
    public double Density => _weights.Count == 0 ? 1 : (double)_weights.Sum(w => w.Kept) / _weights.Sum(w => w.Count);

    /// <summary>True once the owners stay.</summary>
    public bool IsFrozen => _weights.Count > 0 && _weights[0].IsFrozen;

    /// <summary>True while a mask holds more than the pattern's own owners.</summary>
    public bool IsGrowing => _weights.Exists(w => w.IsGrowing);

    /// <summary>Brings the masks to where they belong before a step.</summary>
    /// <returns>True at the one step where the owners freeze.</returns>
    public bool BeforeStep(int step)
    {
        if (_weights.Count == 0 || IsFrozen)
            return false;
        if (step < _freezeStep && step % _options.MaskInterval != 0)
            return false;
        double density = _options.Method == TrainingMethod.Growing ? _schedule.At(step) : _options.Pattern.Density;
        foreach (SparseWeight weight in _weights)
        {
            weight.Update(step >= _freezeStep ? _options.Pattern.Density : density);
            if (step >= _freezeStep)
                weight.Freeze();
        }

        return step >= _freezeStep;
    }

    /// <summary>Runs the network on the pattern's own masks. Where a mask holds more, its owners are chosen anew first.</summary>
    public void ApplyExactly()
    {
        foreach (SparseWeight weight in _weights)
        {
            if (weight.IsGrowing)
                weight.UpdateOwners();
            weight.ApplyExactly();
        }
    }

    /// <summary>Runs the network on the masks that training uses.</summary>
    public void Apply() => _weights.ForEach(w => w.Apply());

    /// <summary>Share of owners that were none when this was last called; 0 the first time.</summary>
    public double Turnover()
    {
        double turnover = 0;
        if (_ownersBefore is { } before)
        {
            double changed = 0, all = 0;
            for (int i = 0; i < _weights.Count; i++)
            {
                using var scope = NewDisposeScope();
                changed += (_weights[i].Owners * (1 - before[i])).sum(ScalarType.Float64).item<double>();
                all += _weights[i].Owners.sum(ScalarType.Float64).item<double>();
            }

            turnover = all == 0 ? 0 : changed / all;
        }

        RememberOwners([.. _weights.Select(w => w.Owners.clone().DetachFromDisposeScope())]);
        return turnover;
    }

    /// <summary>The owners when <see cref="Turnover"/> was last called; null before the first time.</summary>
    public IReadOnlyList<Tensor>? OwnersBefore => _ownersBefore;

    public void RememberOwners(List<Tensor> owners)
    {
        _ownersBefore?.ForEach(t => t.Dispose());
        _ownersBefore = owners;
    }

    public void Dispose()
    {
        _weights.ForEach(w => w.Dispose());
        _ownersBefore?.ForEach(t => t.Dispose());
    }

    private static List<WeightLayer> Choose(OnnxModel model, TrainableGraph graph, TrainingOptions options)
    {
        IReadOnlyList<WeightLayer> all = WeightLayers.Find(model);
        if (options.DenseLayers.FirstOrDefault(name => all.All(l => l.Name != name)) is { } unknown)
            throw new TrainingException($"The model has no layer '{unknown}' to keep dense; its layers are "
                + $"{string.Join(", ", all.Select(l => l.Name))}.");
        NetworkHead? head = options.KeepHeadDense ? NetworkHead.Find(all) : null;
        HashSet<string> dense = [.. all.Where(l => l.Name == head?.Name || options.DenseLayers.Contains(l.Name)).Select(l => l.WeightName)];
        List<WeightLayer> chosen =
        [
            .. WeightLayers.FindFitting(model, options.Pattern)
                .Where(l => l.Op is "Conv" or "Gemm" or "MatMul" && !dense.Contains(l.WeightName)
                    && graph.Parameters.ContainsKey(l.WeightName)),
        ];
        if (chosen.Count == 0)
            throw new PatternException(
                $"Pattern {options.Pattern} fits only layers that are to stay dense or are not trained"
                + $"{(head is null ? "" : $" (the head, {head.Name}, is one)")}. Choose a smaller group.");
        return chosen;
    }

    private static bool InputsFirst(NodeProto node) => node.Is("MatMul") || (node.Is("Gemm") && node.GetInt("transB", 0) == 0);
}
