using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Safetensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Inspection;

/// <summary>
/// Packed layers against what they declare.
/// 1. Owners are checked here, so that a break has a place in the matrix.
/// 2. The strict readers check everything else: sizes, padding, scales.
/// 3. safetensors: the data section has the SHA-256 that the metadata say.
/// A declaration that cannot be understood (no pattern, no shape) is an error, not a violation.
/// </summary>
internal sealed class PackedVerification(SparsityPattern? asked)
{
    public List<LayerVerdict> Layers { get; } = [];

    public List<Violation> Violations { get; } = [];

    public void Check(OnnxModel model)
    {
        ILookup<NodeProto, WeightLayer> layers = WeightLayers.Find(model).ToLookup(layer => layer.Node);
        foreach (OnnxModel graph in model.WithBodies())
            CheckGraph(graph, layers);
    }

    private void CheckGraph(OnnxModel model, ILookup<NodeProto, WeightLayer> layers)
    {
        foreach (NodeProto node in model.Nodes)
        {
            if (!PackedWeights.IsPacked(node))
            {
                foreach (WeightEntry entry in OnnxWeights.Read(model, node, layers[node]))
                    AddDense(entry);
                continue;
            }

            CellLayout layout = PackedWeights.Layout(node);
            Violation? violation = OwnerRules.FindViolation(node.Name, layout, PackedWeights.Owners(model, node).Read<byte>())
                ?? Attempt(node.Name, () => CheckAsked(node.Name, PackedWeights.Read(model, node)));
            Add(node.Name, layout, violation);
        }
    }

    public void Check(SafetensorsFile file)
    {
        var broken = new Dictionary<string, Violation>();
        SortedDictionary<string, CellLayout> declared = PackedSafetensors.ReadLayouts(file);
        foreach ((string name, CellLayout layout) in declared)
            if (OwnerRules.FindViolation(name, layout, file.Bytes(file.Get(name + ".weight_index"))) is { } violation)
                broken.Add(name, violation);

        Violation? unplaced = null;
        if (broken.Count == 0)
            unplaced = Attempt(null, () =>
            {
                foreach ((string name, PackedTensor weights) in PackedSafetensors.Read(file))
                    if (CheckAsked(name, weights) is { } violation)
                        broken.Add(name, violation);
                return null;
            });
        foreach ((string name, CellLayout layout) in declared)
        {
            bool here = unplaced?.Layer is { } at && (at == name || at.StartsWith(name + ".weight_", StringComparison.Ordinal));
            Add(name, layout, broken.GetValueOrDefault(name) ?? (here ? unplaced! with { Layer = name } : null));
            unplaced = here ? null : unplaced;
        }

        foreach (WeightEntry entry in SafetensorsWeights.Read(file, packed: false)
            .Where(entry => !declared.Keys.Any(layer => entry.Name.StartsWith(layer + ".weight_", StringComparison.Ordinal))))
            AddDense(entry);
        if (unplaced is not null)
            Violations.Add(unplaced);
        if (Attempt(null, () => { file.VerifyPayload(); return null; }) is { } payload)
            Violations.Add(payload with { Layer = null });
    }

    private static Violation? Attempt(string? layer, Func<Violation?> check)
    {
        try
        {
            return check();
        }
        catch (DovetailException error)
        {
            return new Violation(layer ?? (error as SafetensorsException)?.Tensor, null, null, null, error.Message);
        }
    }

    private Violation? CheckAsked(string name, PackedTensor weights) =>
        asked is not null && PatternMatch.ReasonAgainst(asked, weights.Shape) is null
        && PatternMatch.FindFault(Packer.UnpackMask(weights), asked, weights.Shape) is { } fault
            ? new Violation(name, fault.Cell, fault.Row, fault.Column, fault.Message)
            : null;

    private void Add(string name, CellLayout layout, Violation? violation)
    {
        string? unfit = asked is null ? null : PatternMatch.ReasonAgainst(asked, layout.Shape);
        string status = violation is not null ? LayerVerdict.Bad : unfit is not null ? LayerVerdict.Unchecked : LayerVerdict.Good;
        Layers.Add(new LayerVerdict(name, layout.Shape.ToString(), layout.Pattern.ToString(), status, violation?.Message ?? unfit));
        if (violation is not null)
            Violations.Add(violation);
    }

    private void AddDense(WeightEntry? entry)
    {
        if (entry is not null)
            Layers.Add(new LayerVerdict(entry.Name, entry.Shape.ToString(), null, LayerVerdict.Unchecked, "it is stored dense"));
    }
}
