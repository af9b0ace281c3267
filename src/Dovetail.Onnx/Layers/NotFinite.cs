using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Layers;

/// <summary>
/// One rule for weights that are NaN or infinite (docs/patterns.md): such a layer is shown with the place of the first, is never pruned or
/// packed, and satisfies no pattern.
/// </summary>
internal static class NotFinite
{
    /// <returns>Where the first such weight stands, and the words for a message; null where all are finite.</returns>
    public static (int Row, int Column, string Words)? Find(ReadOnlySpan<float> weights, WeightShape shape)
    {
        for (int at = 0; at < weights.Length; at++)
        {
            if (float.IsFinite(weights[at]))
                continue;
            (int row, int column) = Math.DivRem(at, shape.Inputs);
            return (row, column, $"the weight at row {row}, column {column} is {weights[at]}, expected a finite number");
        }

        return null;
    }
}
