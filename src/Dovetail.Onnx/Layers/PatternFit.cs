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

    /// <summary>
    /// What a report must say of a layer whose last cells have fewer candidates than the group, e.g. "K = 10: the last cell of each row has
    /// 2 candidates and keeps 2"; null where all cells are whole.
    /// </summary>
    public static string? TailNote(WeightShape shape, ComplementaryPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(pattern);
        bool inputs = pattern.Axis == CellAxis.Input;
        int length = inputs ? shape.Channels : (shape.OutputsPerGroup + pattern.Share - 1) / pattern.Share, rest = length % pattern.Group;
        if (pattern.IsDense || rest == 0 || length < pattern.Group)
            return null;
        string where = inputs ? shape.Taps == 1 ? "each row" : "each row and tap" : "each column";
        string last = pattern.Arrangement == Arrangement.Strided
            ? $"some cells of {where} have one candidate fewer than the others"
            : $"the last cell of {where} has {rest} candidate{(rest == 1 ? "" : "s")} and keeps {Math.Min(rest, pattern.Keep)}";
        return $"{(inputs ? shape.Taps == 1 ? "K" : "channels" : "M")} = {length}: {last}";
    }
}
