using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>Whether layers satisfy the patterns that their model declares for them. One that does not was damaged, or its training
/// diverged.</summary>
internal static class DeclaredWeights
{
    /// <param name="layers">All layers of the prepared model.</param>
    /// <param name="patterns">By node name.</param>
    /// <exception cref="PatternException">Some do not; the message names each with what was found.</exception>
    public static void Check(
        IReadOnlyList<WeightLayer> layers, IReadOnlyDictionary<string, ComplementaryPattern> patterns, LayerPacking packing)
    {
        List<(string Name, string? Fault)> faults = [.. layers
            .Where(layer => patterns.ContainsKey(layer.Name))
            .Select(layer => (Name: $"{layer.Name} ({patterns[layer.Name]})", Fault: FindFault(layer, patterns[layer.Name], packing)))
            .Where(entry => entry.Fault is not null)];
        if (faults.Count > 0)
            throw new PatternException(
                $"{(faults.Count == 1 ? "A layer does" : $"{faults.Count} layers do")} not satisfy the pattern that the model declares: "
                + $"{WeightLayers.Reasons(faults)}. "
                + "Train or prune the model again, or say which pattern to pack: then layers that do not satisfy it stay dense.");
    }

    private static string? FindFault(WeightLayer layer, ComplementaryPattern pattern, LayerPacking packing)
    {
        if (layer.ReasonAgainst(pattern) is { } unfit)
            return unfit;
        if (layer.FindNotFinite() is { } diverged)
            return diverged;
        return packing.Fault(layer, pattern);
    }
}
