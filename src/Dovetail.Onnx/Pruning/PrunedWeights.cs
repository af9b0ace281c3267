namespace Dovetail.Onnx.Pruning;

/// <summary>What becomes of a layer's weights, both in matrix order [outputs, taps·channels].</summary>
/// <param name="Weights">Finite, and zero wherever the mask is false.</param>
/// <param name="Mask">True where a weight is kept; within the pattern.</param>
public sealed record PrunedWeights(float[] Weights, bool[] Mask);
