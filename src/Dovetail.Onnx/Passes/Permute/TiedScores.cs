using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;

namespace Dovetail.Onnx.Passes.Permute;

/// <summary>
/// One search for several layers whose candidates must have one order.
/// 1. A layer's w² are divided by their sum, so that the score of each is its captured share and a large layer does not
///    drown the others.
/// 2. Input axis: each run of shared outputs and each tap is a row over the input channels. Output axis: each input is a
///    row over the outputs.
/// 3. Rows of layers with one keep, group and arrangement are stacked: on them the pattern is an input axis without
///    share, and the captured score is the sum of the layers'.
/// 4. Layers of another pattern do not take part; the caller weighs what the order means to them.
/// </summary>
internal static class TiedScores
{
    /// <summary>An order for all layers of a group, found on those that can be stacked.</summary>
    internal static PermutationResult Search(
        IReadOnlyList<(WeightLayer Layer, ComplementaryPattern Pattern)> layers, PermutationOptions options, CancellationToken cancellation)
    {
        // shared outputs move in runs, which no other layer knows of
        var stacks = layers.Where(l => l.Pattern.Axis == CellAxis.Input || l.Pattern.Share == 1)
            .GroupBy(l => (l.Pattern.Keep, l.Pattern.Group, l.Pattern.Arrangement))
            .OrderByDescending(g => g.Sum(l => (long)l.Layer.Shape.Count)).ToList();
        if (stacks is not [var stack, ..])
        {
            (WeightLayer layer, ComplementaryPattern pattern) = layers.MaxBy(l => l.Layer.Shape.Count);
            return PermutationSearch.Search(Shares(layer), new CellLayout(pattern, layer.Shape), options, cancellation);
        }

        List<float[]> rows = [.. stack.Select(l => Rows(l.Layer, l.Pattern))];
        var scores = new float[rows.Sum(r => r.Length)];
        int at = 0;
        foreach (float[] part in rows)
        {
            part.CopyTo(scores, at);
            at += part.Length;
        }

        (WeightLayer first, ComplementaryPattern lead) = stack.First();
        int entries = lead.Axis == CellAxis.Input ? first.Shape.Channels : first.Shape.Outputs;
        var plain = new ComplementaryPattern(lead.Keep, lead.Group, CellAxis.Input, lead.Arrangement);
        return PermutationSearch.Search(
            scores, new CellLayout(plain, WeightShape.Matrix(scores.Length / entries, entries)), options, cancellation);
    }

    /// <summary>w² / Σw², in matrix order.</summary>
    internal static float[] Shares(WeightLayer layer)
    {
        float[] weights = layer.GetWeights();
        double sum = weights.Sum(w => (double)w * w);
        return Array.ConvertAll(weights, w => sum == 0 ? 0 : (float)((double)w * w / sum));
    }

    private static float[] Rows(WeightLayer layer, ComplementaryPattern pattern)
    {
        float[] shares = Shares(layer);
        WeightShape shape = layer.Shape;
        if (pattern.Axis == CellAxis.Output)
        {
            var columns = new float[shares.Length];
            for (int row = 0; row < shape.Outputs; row++)
                for (int column = 0; column < shape.Inputs; column++)
                    columns[column * shape.Outputs + row] = shares[row * shape.Inputs + column];
            return columns;
        }

        if (pattern.Share == 1)
            return shares;
        var runs = new float[((shape.Outputs - 1) / pattern.Share + 1) * shape.Inputs];
        for (int row = 0; row < shape.Outputs; row++)
            for (int column = 0; column < shape.Inputs; column++)
                runs[row / pattern.Share * shape.Inputs + column] += shares[row * shape.Inputs + column];
        return runs;
    }
}
