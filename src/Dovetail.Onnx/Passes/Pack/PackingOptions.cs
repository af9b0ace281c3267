using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Passes.Choose;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>What the packing pass may do.</summary>
public sealed record PackingOptions
{
    /// <summary>Patterns of single layers by node name, where they differ from the model's.</summary>
    public IReadOnlyDictionary<string, ComplementaryPattern> LayerPatterns { get; init; } = new Dictionary<string, ComplementaryPattern>();

    /// <summary>
    /// Pack layers, and return a model, that are not smaller than before: e.g. keep = group, to run dense weights by the
    /// packed operators.
    /// </summary>
    public bool AllowLarger { get; init; }

    /// <summary>Type of the values of floating-point layers: Float32, or Float16 or BFloat16 for half the bytes. Products are fp32
    /// nevertheless.</summary>
    public DType ValueType { get; init; } = DType.Float32;

    /// <summary>
    /// Floating-point layers multiply inputs and weights rounded to bfloat16, with sums in fp32: twice as fast where the CPU
    /// has such products, and less precise everywhere.
    /// </summary>
    public bool BFloat16Operands { get; init; }

    /// <summary>Layers that stay dense although their weights satisfy the pattern, by node name, with the reason for the report.</summary>
    public IReadOnlyDictionary<string, string> KeepDense { get; init; } = new Dictionary<string, string>();

    /// <summary>Leave dense what would not become faster; null: pack whatever satisfies its pattern.</summary>
    public FasterLayers? Faster { get; init; }

    /// <summary>These patterns, and the layers that declare none dense.</summary>
    internal static PackingOptions Of(IReadOnlyDictionary<string, ComplementaryPattern> patterns, IEnumerable<string> layers) => new()
    {
        LayerPatterns = patterns,
        KeepDense = layers.Where(layer => !patterns.ContainsKey(layer)).ToDictionary(layer => layer, _ => "the model declares it dense"),
    };
}
