using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Passes.Permute;

/// <summary>Brings constants of a graph into another order along an axis: entry p of the new order is entry order[p] of the old.</summary>
internal static class ChannelOrder
{
    /// <summary>What the name of an order that stands in the graph ends in.</summary>
    internal const string Suffix = ".perm";

    /// <summary>True for the indices of a Gather that this pass put before or behind a layer.</summary>
    internal static bool IsOrder(OnnxModel model, TensorProto tensor) =>
        tensor.DataType == OnnxType.Int64 && tensor.Name.EndsWith(Suffix, StringComparison.Ordinal)
        && model.Consumers(tensor.Name).Any(n => n.Is("Gather") && n.Input(1) == tensor.Name);

    internal static int[] Inverse(ReadOnlySpan<int> order)
    {
        var inverse = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
            inverse[order[i]] = i;
        return inverse;
    }

    /// <summary>Reorders a node's constant. One that others read too stays, and the node gets a copy.</summary>
    internal static void Permute(OnnxModel model, NodeProto node, int input, int axis, ReadOnlySpan<int> order)
    {
        TensorProto tensor = model.Constant(node.Inputs[input], node);
        if (Uses(model, node.Inputs[input]) > 1)
        {
            string name = model.UniqueName($"{node.Name}.{node.Inputs[input]}");
            long[] dims = [.. tensor.Dims];
            byte[] bytes = tensor.ReadBytes();
            tensor = new TensorProto { Name = name, DataType = tensor.DataType, RawData = bytes };
            tensor.Dims.AddRange(dims);
            model.AddInitializer(tensor);
            node.Inputs[input] = name;
        }

        Permute(tensor, axis, order);
    }

    /// <summary>Reorders a tensor in place.</summary>
    internal static void Permute(TensorProto tensor, int axis, ReadOnlySpan<int> order)
    {
        int[] shape = tensor.Shape();
        if (shape[axis] != order.Length)
            throw new OnnxException($"Tensor {tensor} does not take an order of {order.Length} entries along axis {axis}.");
        int outer = shape[..axis].Aggregate(1, (a, b) => a * b);
        PermuteRows(tensor, 0, outer, axis, order);
    }

    /// <summary>Reorders the input channels of a convolution with groups, each group by its own part of the order.</summary>
    internal static void PermuteGroups(TensorProto weights, int groups, ReadOnlySpan<int> order)
    {
        int[] shape = weights.Shape();
        int channels = shape[1], rows = shape[0] / groups;
        for (int group = 0; group < groups; group++)
        {
            int[] local = order.Slice(group * channels, channels).ToArray();
            for (int i = 0; i < channels; i++)
                local[i] -= group * channels;
            PermuteRows(weights, group * rows, rows, 1, local);
        }
    }

    internal static int Uses(OnnxModel model, string tensor) =>
        model.Nodes.Sum(n => n.Inputs.Contains(tensor) ? n.Inputs.Count(i => i == tensor) : Subgraphs.Reads(n, tensor) ? 1 : 0)
        + (model.IsOutput(tensor) ? 1 : 0);

    // "rows": index over all dimensions before the axis
    private static void PermuteRows(TensorProto tensor, int firstRow, int rows, int axis, ReadOnlySpan<int> order)
    {
        byte[] bytes = tensor.ReadBytes(), result = (byte[])bytes.Clone();
        int inner = tensor.Shape()[(axis + 1)..].Aggregate(TensorData.ElementBytes(tensor.DataType), (a, b) => a * b);
        for (int row = firstRow; row < firstRow + rows; row++)
            for (int i = 0; i < order.Length; i++)
                bytes.AsSpan((row * order.Length + order[i]) * inner, inner).CopyTo(result.AsSpan((row * order.Length + i) * inner, inner));
        (tensor.FloatData, tensor.Int32Data, tensor.Int64Data, tensor.DoubleData, tensor.UInt64Data) = (null, null, null, null, null);
        tensor.RawData = result;
    }
}
