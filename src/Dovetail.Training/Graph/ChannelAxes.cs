using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Training.Graph;

/// <summary>
/// Which axis of a value holds the channels of the layer that it comes from, counted from the last axis, which is 1.
/// 1. A layer gives its output one: Conv and BatchNormalization the second from the front, Gemm and MatMul with constant weights the last
///    (the second last where the weights stand in front).
/// 2. Transpose moves it. Reshape and Flatten keep it where its size and the product of all sizes behind it stay. A mean over it ends it.
/// 3. Any other operator hands on what its first input with one has.
/// </summary>
internal sealed class ChannelAxes
{
    private readonly OnnxModel _model;
    private readonly IReadOnlyDictionary<string, TensorInfo> _shapes;
    private readonly HashSet<string> _constants;
    private readonly Dictionary<string, int> _axes = new(StringComparer.Ordinal);

    /// <exception cref="OnnxException">Shapes contradict each other.</exception>
    public ChannelAxes(OnnxModel model)
    {
        (_model, _shapes) = (model, ShapeInference.Infer(model, batch: 1));
        _constants = [.. model.Graph.Initializers.Select(tensor => tensor.Name)];
        foreach (NodeProto node in model.Nodes)
        {
            string output = node.Outputs[0];
            if (node.Inputs.All(input => input.Length == 0 || _constants.Contains(input)))
                _constants.Add(output);
            else if (Of(node) is { } axis)
                _axes.Add(output, axis);
        }
    }

    public TensorInfo ShapeOf(string value) => _shapes[value];

    /// <summary>True for what does not depend on the network's input.</summary>
    public bool IsConstant(string value) => _constants.Contains(value);

    /// <summary>1 for the last axis; null where the value comes from no layer, or its channels are spread over several axes.</summary>
    public int? FromLast(string value) => _axes.TryGetValue(value, out int axis) ? axis : null;

    private int? Of(NodeProto node)
    {
        int rank = _shapes[node.Outputs[0]].Rank;
        switch (node.OpType)
        {
            case "Conv" or "BatchNormalization":
                return rank - 1;
            case "Gemm" or "MatMul":
                return IsConstant(node.Inputs[1]) ? 1 : IsConstant(node.Inputs[0]) ? 2 : node.Is("Gemm") ? 1 : null;
        }

        if (node.Inputs.FirstOrDefault(_axes.ContainsKey) is not { } input)
            return null;
        int from = _axes[input];
        return node.OpType switch
        {
            "Transpose" => Transposed(node, rank, rank - from),
            "Reshape" or "Flatten" => Reshaped(_shapes[input].Shape, _shapes[node.Outputs[0]].Shape, from),
            "ReduceMean" => Reduced(node, _shapes[input].Rank, from),
            _ => from,
        };
    }

    private static int Transposed(NodeProto node, int rank, int axis) =>
        node.FindInts("perm") is { } order ? rank - Array.IndexOf(order, axis) : axis + 1;

    private static int? Reshaped(IReadOnlyList<Dim> before, IReadOnlyList<Dim> after, int from)
    {
        if (before[^from].Value is not > 1 || Behind(before, from) is not { } behind)
            return null;
        for (int to = 1; to <= after.Count && Behind(after, to) is { } found && found <= behind; to++)
            if (found == behind && after[^to].Value == before[^from].Value)
                return to;
        return null;
    }

    /// <summary>The product of the sizes behind an axis; null where one is not known.</summary>
    private static long? Behind(IReadOnlyList<Dim> shape, int fromLast)
    {
        long? product = 1;
        for (int i = 1; i < fromLast; i++)
            product *= shape[^i].Value;
        return product;
    }

    private int? Reduced(NodeProto node, int rank, int from)
    {
        long[] axes = OperatorNode.Find(_model, node)!.Ints("axes") ?? []; // the node was built, so its row is known
        if (axes.Length == 0)
            return node.GetInt("noop_with_empty_axes", 0) != 0 ? from : null;
        long[] fromLast = Array.ConvertAll(axes, axis => axis < 0 ? -axis : rank - axis);
        if (fromLast.Contains(from))
            return null;
        return node.GetInt("keepdims", 1) != 0 ? from : from - fromLast.Count(axis => axis < from);
    }
}
