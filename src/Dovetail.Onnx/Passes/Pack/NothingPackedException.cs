using Dovetail.Core;

namespace Dovetail.Onnx.Passes.Pack;

/// <summary>Packing would gain nothing: no layer can be packed, or none should be. The model stays as it is.</summary>
public sealed class NothingPackedException : DovetailException
{
    internal NothingPackedException(NothingPackedCause cause, string summary, IReadOnlyList<LayerPlan> layers)
        : base(Words(summary, layers)) => (Cause, Summary, Layers) = (cause, summary, layers);

    public NothingPackedCause Cause { get; }

    /// <summary>The message without the layers: one sentence.</summary>
    public string Summary { get; }

    /// <summary>Every layer with weights, each with the reason why it stays dense.</summary>
    public IReadOnlyList<LayerPlan> Layers { get; }

    private static string Words(string summary, IReadOnlyList<LayerPlan> layers) => layers.Count == 0 ? summary
        : $"{summary} {Listed(layers)}.";

    private static string Listed(IReadOnlyList<LayerPlan> layers) =>
        Onnx.Layers.WeightLayers.Reasons(layers.Select(layer => (layer.Name, layer.DenseReason)));
}

/// <summary>Why nothing is packed.</summary>
public enum NothingPackedCause
{
    /// <summary>The model has no layers with constant weights.</summary>
    NoLayers,

    /// <summary>It is packed already.</summary>
    Packed,

    /// <summary>No layer satisfies its pattern and has a packed operator.</summary>
    NotSatisfied,

    /// <summary>What would be packed is so small that the file would grow.</summary>
    TooSmall,

    /// <summary>No layer would run faster on this machine.</summary>
    NoGain,
}
