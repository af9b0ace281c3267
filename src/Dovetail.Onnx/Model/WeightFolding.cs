namespace Dovetail.Onnx.Model;

/// <summary>
/// Weights that exporters put behind Identity, Cast, Transpose, Reshape, Squeeze, Unsqueeze, Slice or Concat of constants become an
/// initializer of their own when a model is read, so that every verb sees the same layers. Other constants stay as they are.
/// </summary>
internal sealed class WeightFolding
{
    private const int DeepestChain = 16;

    // What all values together may take: a multiple of the constants that a model holds, and something for small ones.
    private const long MostGrowth = 4, AlwaysAllowedBytes = 64 << 20;

    private static readonly string[] s_moves =
        ["Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Concat"];

    private readonly Dictionary<(GraphProto Graph, string Tensor), Value?> _values = [];
    private readonly Dictionary<(GraphProto Home, int Hash), List<TensorProto>> _folded = [];
    private long _leftBytes;

    /// <param name="Tensor">What the constants make.</param>
    /// <param name="Sources">The constants.</param>
    /// <param name="Home">The innermost graph that holds one of them: whatever reads the value can read it there.</param>
    private sealed record Value(TensorProto Tensor, IReadOnlySet<TensorProto> Sources, OnnxModel Home);

    public static void Apply(OnnxModel model)
    {
        var folding = new WeightFolding
        {
            _leftBytes = AlwaysAllowedBytes + MostGrowth * model.WithBodies().Sum(
                graph => graph.Graph.Initializers.Sum(tensor => (long)(tensor.RawData?.Length ?? 0))),
        };
        foreach (OnnxModel graph in model.WithBodies())
            foreach (NodeProto node in graph.Nodes.ToList())
                foreach (int input in LayerOperators.WeightInputs(node))
                    folding.Fold(graph, node, input);
        if (folding._folded.Count > 0)
            foreach (OnnxModel graph in model.WithBodies().Reverse()) // what the inner graphs no longer read, the outer ones may drop
                graph.RemoveDeadNodes();
    }

    private void Fold(OnnxModel graph, NodeProto reader, int input)
    {
        string name = reader.Input(input);
        if (name.Length == 0 || graph.FindConstant(name) is not null)
            return;
        OnnxModel? owner = graph; // the graph whose node makes it
        while (owner is not null && !owner.Makes(name))
            owner = owner.Outer;
        if (owner is null || Evaluate(owner, name, 0) is not { } value)
            return;
        // Branches may make the same of the same constants: it is stored once.
        var hash = default(HashCode);
        hash.AddBytes(value.Tensor.RawData);
        (GraphProto, int) key = (value.Home.Graph, hash.ToHashCode());
        if (!_folded.TryGetValue(key, out List<TensorProto>? alike))
            _folded[key] = alike = [];
        TensorProto? folded = alike.Find(tensor => IsSame(tensor, value.Tensor));
        if (folded is null)
        {
            folded = value.Tensor;
            folded.Name = value.Home.UniqueName($"{name}.folded");
            value.Home.AddInitializer(folded);
            alike.Add(folded);
        }

        reader.Inputs[input] = folded.Name;
    }

    private static bool IsSame(TensorProto a, TensorProto b) => ReferenceEquals(a, b)
        || (a.DataType == b.DataType && a.Dims.SequenceEqual(b.Dims) && a.RawData.AsSpan().SequenceEqual(b.RawData));

    /// <summary>The value of a tensor that moves of floating-point constants make; null where it is no such one.</summary>
    private Value? Evaluate(OnnxModel graph, string name, int depth)
    {
        if (_values.TryGetValue((graph.Graph, name), out Value? known))
            return known;
        if (graph.FindConstant(name) is { } constant)
        {
            OnnxModel home = graph;
            while (!home.Makes(name))
                home = home.Outer!;
            return IsFloat(constant.DataType) ? new Value(constant, new HashSet<TensorProto> { constant }, home) : null;
        }

        if (depth == DeepestChain)
            return null;
        return _values[(graph.Graph, name)] = graph.FindProducer(name) is { Domain: "" or "ai.onnx" } node && s_moves.Contains(node.OpType)
            ? Evaluate(graph, node, depth)
            : null;
    }

    private Value? Evaluate(OnnxModel graph, NodeProto node, int depth)
    {
        var inputs = new List<Value>();
        foreach (string input in node.Is("Concat") ? node.Inputs : node.Inputs.Take(1))
        {
            if (Evaluate(graph, input, depth + 1) is not { } value)
                return null;
            inputs.Add(value);
        }

        if (inputs.Count == 0)
            return null;
        TensorProto from = inputs[0].Tensor;
        try
        {
            TensorProto? result = node.OpType switch
            {
                "Identity" => Copy(from, from.Dims),
                "Cast" => Cast(from, (OnnxType)node.GetInt("to", 0)),
                "Transpose" => Transpose(from, node.FindInts("perm")),
                "Slice" => Slice(graph, node, from),
                "Concat" => Concat(node, inputs),
                _ => Moved(graph, node, from),
            };
            if (result is null || (_leftBytes -= result.RawData!.LongLength) < 0)
                return null;
            return new Value(
                result, inputs.SelectMany(value => value.Sources).ToHashSet(), inputs.MaxBy(value => Depth(value.Home))!.Home);
        }
        catch (OnnxException)
        {
            return null; // not as ONNX wants it: left to the reader of the graph
        }
    }

    private static int Depth(OnnxModel? graph) => graph is null ? 0 : 1 + Depth(graph.Outer);

    /// <summary>One part along each axis, in steps of 1.</summary>
    private static TensorProto? Slice(OnnxModel graph, NodeProto node, TensorProto from)
    {
        long[]? starts = Numbers(graph, node, "starts", 1), ends = Numbers(graph, node, "ends", 2);
        long[]? axes = node.HasInput(3) || node.FindAttribute("axes") is not null
            ? Numbers(graph, node, "axes", 3) : [.. Enumerable.Range(0, starts?.Length ?? 0).Select(axis => (long)axis)];
        if (starts is null || ends is null || axes is null || starts.Length != ends.Length || axes.Length != starts.Length
            || (node.HasInput(4) && Numbers(graph, node, "steps", 4)?.All(step => step == 1) != true))
            return null;
        TensorProto result = from;
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = (int)(axes[i] < 0 ? axes[i] + from.Dims.Count : axes[i]);
            if (axis < 0 || axis >= from.Dims.Count)
                return null;
            long length = result.Dims[axis];
            long first = At(starts[i], length), last = At(ends[i], length);
            if (last <= first)
                return null;
            result = Part(result, axis, first, last - first);
        }

        return result == from ? Copy(from, from.Dims) : result;

        static long At(long index, long length) => Math.Clamp(index < 0 ? index + length : index, 0, length);
    }

    private static long[]? Numbers(OnnxModel graph, NodeProto node, string attribute, int input) =>
        node.HasInput(input) ? graph.FindConstant(node.Inputs[input])?.ToInt64s() : node.FindInts(attribute);

    private static TensorProto Part(TensorProto from, int axis, long first, long count)
    {
        byte[] source = from.ReadBytes();
        long inner = from.Dims.Skip(axis + 1).Aggregate((long)TensorData.ElementBytes(from.DataType), (product, d) => product * d);
        long outer = from.Dims.Take(axis).Aggregate(1L, (product, d) => product * d), row = from.Dims[axis] * inner;
        byte[] result = new byte[outer * count * inner];
        for (long i = 0; i < outer; i++)
            source.AsSpan((int)(i * row + first * inner), (int)(count * inner)).CopyTo(result.AsSpan((int)(i * count * inner)));
        return Of(from.DataType, [.. from.Dims.Select((d, i) => i == axis ? count : d)], result);
    }

    /// <summary>Null where the result would be larger than the constants that it is made of: a chain would multiply itself.</summary>
    private static TensorProto? Concat(NodeProto node, List<Value> inputs)
    {
        TensorProto first = inputs[0].Tensor;
        int axis = (int)(node.GetInt("axis", 0) is < 0 and var back ? back + first.Dims.Count : node.GetInt("axis", 0));
        if (axis < 0 || axis >= first.Dims.Count || inputs.Exists(value => value.Tensor.DataType != first.DataType
            || value.Tensor.Dims.Count != first.Dims.Count || value.Tensor.Dims.Where((d, i) => i != axis && d != first.Dims[i]).Any()))
            return null;
        byte[][] parts = [.. inputs.Select(value => value.Tensor.ReadBytes())];
        long total = parts.Sum(part => (long)part.Length);
        if (total > inputs.SelectMany(value => value.Sources).Distinct().Sum(source => (long)source.ReadBytes().Length)
            || total > Array.MaxLength)
            return null;
        long outer = first.Dims.Take(axis).Aggregate(1L, (product, d) => product * d);
        byte[] result = new byte[total];
        int at = 0;
        for (long i = 0; i < outer; i++)
            foreach (byte[] part in parts)
            {
                int size = (int)(part.Length / outer);
                part.AsSpan((int)(i * size), size).CopyTo(result.AsSpan(at));
                at += size;
            }

        return Of(first.DataType, [.. first.Dims.Select((d, i) => i == axis ? inputs.Sum(value => value.Tensor.Dims[axis]) : d)], result);
    }

    private static TensorProto Of(OnnxType type, List<long> dims, byte[] bytes)
    {
        var tensor = new TensorProto { DataType = type, RawData = bytes };
        tensor.Dims.AddRange(dims);
        return tensor;
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

    private static TensorProto Copy(TensorProto from, IReadOnlyList<long> dims) => Of(from.DataType, [.. dims], from.ReadBytes());

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

        return Of(from.DataType, [.. dims], result);
    }

    private static bool IsFloat(OnnxType type) => type is OnnxType.Float or OnnxType.Float16 or OnnxType.BFloat16 or OnnxType.Double;
}
