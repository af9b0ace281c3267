namespace Dovetail.Onnx.Layers;

/// <summary>
/// The rule for heads: the fully connected layer at the end of a network stays dense unless it is asked for. Pruning, training
/// and export ask here which layer that is and why.
/// </summary>
/// <param name="Name">The layer's.</param>
public sealed record NetworkHead(string Name)
{
    /// <summary>Why it stays dense, for reports.</summary>
    public const string Reason = "it is the head, which is small and sensitive";

    /// <param name="layers">All layers with weights, in graph order.</param>
    /// <returns>Null where the last layer is a convolution, or the only one.</returns>
    public static NetworkHead? Find(IReadOnlyList<WeightLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return layers.Count > 1 && layers[^1].Op is "Gemm" or "MatMul" ? new NetworkHead(layers[^1].Name) : null;
    }
}
