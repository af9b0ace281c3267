namespace Dovetail.Onnx.Model;

/// <summary>
/// Weights that exporters put behind Identity, Cast, Transpose, Reshape, Squeeze or Unsqueeze of a constant become an initializer of
/// their own when a model is read, so that every verb sees the same layers. Other constants stay as they are.
/// </summary>
internal static class WeightFolding
{
    private const int DeepestChain = 16;

    private static readonly string[] s_moves = ["Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze"];

    public static void Apply(OnnxModel model)
    {
        bool folded = false;
        foreach (OnnxModel graph in model.WithBodies())
            foreach (NodeProto node in graph.Nodes.ToList())
                foreach (int input in LayerOperators.WeightInputs(node))
                    folded |= Fold(graph, node, input);
        if (folded)
            foreach (OnnxModel graph in model.WithBodies().Reverse()) // what the inner graphs no longer read, the outer ones may drop
                graph.RemoveDeadNodes();
    }

    private static bool Fold(OnnxModel graph, NodeProto reader, int input)
    {
        string name = reader.Input(input);
        if (name.Length == 0 || graph.FindConstant(name) is not null || Evaluate(graph, name, 0) is not { } tensor)
            return false;
        tensor.Name = graph.UniqueName($"{name}.folded");
        graph.AddInitializer(tensor);
        reader.Inputs[input] = tensor.Name;
        return true;
    }

    /// <summary>The value of a tensor that moves of a floating-point constant make; null where it is no such one.</summary>
    private static TensorProto? Evaluate(OnnxModel graph, string name, int depth)
    {
        if (graph.FindConstant(name) is { } constant)
            return IsFloat(constant.DataType) ? constant : null;
        if (depth == DeepestChain || graph.FindProducer(name) is not { } node || node.Domain is not ("" or "ai.onnx")
            || !s_moves.Contains(node.OpType) || Evaluate(graph, node.Input(0), depth + 1) is not { } from)
            return null;
        try
        {
            return node.OpType switch
            {
                "Identity" => Copy(from, from.Dims),
                "Cast" => Cast(from, (OnnxType)node.GetInt("to", 0)),
                "Transpose" => Transpose(from, node.FindInts("perm")),
                _ => Moved(graph, node, from),
            };
        }
        catch (OnnxException)
        {
            return null; // not as ONNX wants it: left to the reader of the graph
        }
    }

    /// <summary>Reshape, Squeeze, Unsqueeze: other dimensions, as constants say them.</summary>
    private static TensorProto? Moved(OnnxModel graph, NodeProto node, TensorProto from)
    {
        long[]? said = node.HasInput(1) ? graph.FindConstant(node.Inputs[1])?.ToInt64s()
            : node.FindInts(node.OpType == "Reshape" ? "shape" : "axes");
        if (node.HasInput(1) && said is null)
            return null;
        List<long> dims = [.. from.Dims];
        switch (node.OpType)
        {
            case "Reshape":
                if (said is null || node.GetInt("allowzero", 0) != 0)
                    return null;
                dims = [.. said.Select((d, i) => d == 0 && i < from.Dims.Count ? from.Dims[i] : d)];
                int free = dims.IndexOf(-1);
                long rest = dims.Where(d => d != -1).Aggregate(1L, (product, d) => product * d);
                if (free >= 0)
                    dims[free] = rest > 0 ? from.ElementCount() / rest : 0;
                break;
            case "Squeeze":
                HashSet<long> dropped = said is null ? [.. dims.Index().Where(d => d.Item == 1).Select(d => (long)d.Index)]
                    : [.. said.Select(axis => axis < 0 ? axis + dims.Count : axis)];
                dims = [.. dims.Where((_, i) => !dropped.Contains(i))];
                break;
            default:
                if (said is null)
                    return null;
                int rank = dims.Count + said.Length;
                foreach (long axis in said.Select(axis => axis < 0 ? axis + rank : axis).Order())
                    dims.Insert((int)Math.Clamp(axis, 0, dims.Count), 1);
                break;
        }

        return dims.TrueForAll(d => d >= 0) && dims.Aggregate(1L, (product, d) => product * d) == from.ElementCount()
            ? Copy(from, dims)
            : null;
    }

    private static TensorProto Copy(TensorProto from, IReadOnlyList<long> dims)
    {
        var tensor = new TensorProto { DataType = from.DataType, RawData = from.ReadBytes() };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    private static TensorProto? Cast(TensorProto from, OnnxType to)
    {
        if (!IsFloat(to))
            return null;
        TensorProto tensor = Copy(from, from.Dims);
        float[] values = from.ToFloats();
        tensor.DataType = to;
        tensor.WriteFloats(values);
        return tensor;
    }

    private static TensorProto Transpose(TensorProto from, long[]? perm)
    {
        int rank = from.Dims.Count;
        long[] order = perm ?? [.. Enumerable.Range(0, rank).Reverse().Select(axis => (long)axis)];
        if (!order.Order().SequenceEqual(Enumerable.Range(0, rank).Select(axis => (long)axis)))
            throw new OnnxException($"perm [{string.Join(", ", order)}] does not permute {from}.");
        long[] dims = [.. order.Select(axis => from.Dims[(int)axis])], strides = new long[rank];
        for (int axis = rank - 1, step = 1; axis >= 0; step *= (int)from.Dims[axis], axis--)
            strides[axis] = step;
        byte[] source = from.ReadBytes(), result = new byte[source.Length];
        int size = TensorData.ElementBytes(from.DataType);
        var index = new long[rank];
        for (long at = 0, place = 0; at < source.Length; at += size)
        {
            source.AsSpan((int)place * size, size).CopyTo(result.AsSpan((int)at));
            for (int axis = rank - 1; axis >= 0; axis--)
            {
                long stride = strides[order[axis]];
                place += stride;
                if (++index[axis] < dims[axis])
                    break;
                place -= stride * dims[axis];
                index[axis] = 0;
            }
        }

        var tensor = new TensorProto { DataType = from.DataType, RawData = result };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    private static bool IsFloat(OnnxType type) => type is OnnxType.Float or OnnxType.Float16 or OnnxType.BFloat16 or OnnxType.Double;
}
