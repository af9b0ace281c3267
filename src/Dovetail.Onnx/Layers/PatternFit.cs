using Dovetail.Core.Patterns;

namespace Dovetail.Onnx.Layers;

/// <summary>Whether a pattern makes sense for a layer: a cell must find as many candidates as its group.</summary>
public static class PatternFit
{
    /// <summary>Why the pattern does not fit weights of a shape, e.g. "1 channel is less than the group, 16"; null where it does.</summary>
    public static string? ReasonAgainst(WeightShape shape, ComplementaryPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(pattern);
        if (pattern.Axis == CellAxis.Input)
            return shape.Channels < pattern.Group
                ? $"{shape.Channels} {(shape.Channels == 1 ? "channel is" : "channels are")} fewer than the group, {pattern.Group}"
                : null;
        int runs = (shape.OutputsPerGroup + pattern.Share - 1) / pattern.Share;
        return runs < pattern.Group
            ? $"{shape.OutputsPerGroup} "
                + $"outputs{(shape.Groups > 1 ? " per convolution group" : "")}{(pattern.Share > 1 ? $" in runs of {pattern.Share}" : "")} "
                + $"are fewer than the group, {pattern.Group}"
            : null;
    }
}
