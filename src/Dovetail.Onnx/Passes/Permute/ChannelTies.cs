using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Permute;

/// <summary>A constant that has an entry for each channel of a tensor, along an axis.</summary>
internal sealed record ChannelParameter(NodeProto Node, int Input, int Axis, string Tensor);

/// <summary>
/// Which tensors of a graph must have their channels in one order, and which constants follow them.
/// 1. A tensor's channels lie along axis 1 (matrices, images) or 2 (tokens, [N, T, C]).
/// 2. What an operator does to the order its row says (<see cref="ChannelTie"/>). One that treats all channels alike ties its
///    input to its output; Add, Mul and their like tie all their tensors, so a residual connection ties every producer and
///    every reader along it. Ties are closed under union.
/// 3. Conv, Gemm and MatMul with constant weights tie nothing: the rows of their weights follow the output, the
///    columns the input. A depthwise convolution ties its input to its output.
/// 4. Inputs and outputs of the graph keep their order, and so does every tensor of an operator that is not
///    known to be indifferent to it.
/// </summary>
internal sealed class ChannelTies
{
    private readonly OnnxModel _model;
    private readonly IReadOnlyDictionary<string, TensorInfo> _shapes;
    private readonly Dictionary<string, string> _parents = [];
    private readonly Dictionary<string, string> _fixed = [];
    private readonly List<ChannelParameter> _parameters = [];

    private ChannelTies(OnnxModel model)
    {
        _model = model;
        _shapes = ShapeInference.Infer(model);
    }

    internal static ChannelTies Find(OnnxModel model)
    {
        var ties = new ChannelTies(model);
        foreach (ValueInfoProto input in model.Inputs)
            ties.Fix(input.Name, $"'{input.Name}' is an input of the graph");
        foreach (ValueInfoProto output in model.Outputs)
            ties.Fix(output.Name, $"'{output.Name}' is an output of the graph");
        foreach (NodeProto node in model.Nodes.Where(n => !n.Is("Constant")))
            if (!ties.Tie(node))
                foreach (string tensor in Subgraphs.Reads(node).Concat(node.Outputs).Where(t => t.Length > 0 && !ties.IsConstant(t)))
                    ties.Fix(tensor, $"{node} depends on the order of '{tensor}'");
        return ties;
    }

    /// <summary>A name for all tensors that are tied to this one.</summary>
    internal string GroupOf(string tensor)
    {
        while (_parents.TryGetValue(tensor, out string? parent))
            tensor = parent;
        return tensor;
    }

    /// <summary>Why the order of a tensor's channels must stay; null where it is free.</summary>
    internal string? ReasonFixed(string tensor) => _fixed.GetValueOrDefault(GroupOf(tensor));

    /// <summary>The constants that follow the order of a group.</summary>
    internal IEnumerable<ChannelParameter> Parameters(string group) => _parameters.Where(p => GroupOf(p.Tensor) == group);

    /// <summary>False where the operator may depend on the order of channels.</summary>
    private bool Tie(NodeProto node)
    {
        if (OperatorNode.Find(_model, node) is not { Operator.Channels: { } tie } op || node.Outputs.Count(o => o.Length > 0) != 1)
            return false;
        string x = node.Input(0), y = node.Outputs[0];
        return tie switch
        {
            ChannelTie.Alike => node.Inputs.Skip(1).All(i => i.Length == 0 || IsConstant(i)) && Union(x, y),
            ChannelTie.Image => _shapes[x].Rank == 4 && Union(x, y),
            ChannelTie.Operands => node.Inputs.Select((_, i) => i).All(i => TieOperand(node, i, y)),
            // batch statistics, or (before version 9) one for each number of an image, are another matter
            ChannelTie.ChannelParameters =>
                node.GetInt("training_mode", 0) == 0 && node.GetInt("spatial", 1) != 0 && _shapes[x].Rank is 2 or 4
                && Union(x, y) && ParametersFollow(node, y),
            ChannelTie.LastAxisParameters =>
                _shapes[x].Rank is 2 or 3 && node.GetInt("axis", -1) is var axis && (axis == -1 || axis == _shapes[x].Rank - 1)
                && Union(x, y) && ParametersFollow(node, y),
            ChannelTie.Shape => TieFlat(x, y),
            ChannelTie.Reduction => TieReduced(op, x, y),
            ChannelTie.Convolution => TieConv(node, x, y),
            ChannelTie.Gemm => node.GetInt("transA", 0) == 0 && TieMatrix(node, x, y, inputsFirst: node.GetInt("transB", 0) == 0)
                && (!node.HasInput(2) || TieOperand(node, 2, y)),
            _ => TieMatrix(node, x, y, inputsFirst: true),
        };
    }

    private bool ParametersFollow(NodeProto node, string y) => Enumerable.Range(1, node.Inputs.Count - 1).All(i => Follows(node, i, 0, y));

    private bool TieConv(NodeProto node, string x, string y)
    {
        if (!OwnWeights(node, rank: 4) || (node.HasInput(2) && !Follows(node, 2, 0, y)) || !Follows(node, 1, 0, y))
            return false;
        long groups = node.GetInt("group", 1);
        if (groups == 1)
            return Follows(node, 1, 1, x);
        long[] weights = [.. _model.FindConstant(node.Inputs[1])!.Dims];
        return weights[1] == 1 && weights[0] == groups && Union(x, y);
    }

    private bool TieMatrix(NodeProto node, string x, string y, bool inputsFirst) =>
        OwnWeights(node, rank: 2) && Axis(x) == _shapes[x].Rank - 1 && Axis(y) == _shapes[y].Rank - 1
        && Follows(node, 1, inputsFirst ? 0 : 1, x) && Follows(node, 1, inputsFirst ? 1 : 0, y);

    /// <summary>Weights that two layers share would have to follow two orders.</summary>
    private bool OwnWeights(NodeProto node, int rank) =>
        _model.FindConstant(node.Input(1)) is { } tensor && tensor.Dims.Count == rank && ChannelOrder.Uses(_model, node.Inputs[1]) == 1;

    /// <summary>An operand that is broadcast to y, as a tensor or as a constant.</summary>
    private bool TieOperand(NodeProto node, int input, string y)
    {
        string operand = node.Inputs[input];
        if (Axis(y) is not { } axis)
            return false;
        TensorInfo info = _shapes[operand];
        if (!IsConstant(operand))
            return info.Rank == _shapes[y].Rank
                && ((info.Shape[axis].Value == 1 && _shapes[y].Shape[axis].Value != 1) || Union(operand, y));
        int aligned = axis - (_shapes[y].Rank - info.Rank);
        // without the axis, or with one entry along it: the same number for all channels
        return aligned < 0 || info.Shape[aligned].Value == 1 || Follows(node, input, aligned, y);
    }

    /// <summary>A change of shape that leaves [N, C] and only adds or drops ones behind.</summary>
    private bool TieFlat(string x, string y)
    {
        IReadOnlyList<Dim> before = _shapes[x].Shape, after = _shapes[y].Shape;
        return Axis(x) == 1 && Axis(y) == 1 && before[0] == after[0] && before[0] != Dim.Unknown && before[1] == after[1]
            && before.Skip(2).Concat(after.Skip(2)).All(d => d.Value == 1) && Union(x, y);
    }

    private bool TieReduced(OperatorNode op, string x, string y)
    {
        if (op.IsComputed("axes") || op.Ints("axes") is not { Length: > 0 } axes || Axis(x) is not { } axis || Axis(y) is not { } left)
            return false;
        int rank = _shapes[x].Rank;
        int[] reduced = [.. axes.Select(a => (int)(a < 0 ? a + rank : a))];
        int dropped = op.Node.GetInt("keepdims", 1) == 0 ? reduced.Count(a => a < axis) : 0;
        return !reduced.Contains(axis) && left == axis - dropped && Union(x, y);
    }

    private bool IsConstant(string tensor) => _model.FindConstant(tensor) is not null;

    /// <summary>The axis of a tensor's channels; null where their number is unknown or the rank is none of ours.</summary>
    private int? Axis(string tensor) => _shapes[tensor].Rank switch
    {
        2 or 4 when _shapes[tensor].Shape[1].IsKnown => 1,
        3 when _shapes[tensor].Shape[2].IsKnown => 2,
        _ => null,
    };

    private long? Channels(string tensor) => Axis(tensor) is { } axis ? _shapes[tensor].Shape[axis].Value : null;

    private bool Follows(NodeProto node, int input, int axis, string tensor)
    {
        if (Channels(tensor) is not { } channels || _model.FindConstant(node.Input(input)) is not { } constant
            || constant.Dims.Count <= axis || constant.Dims[axis] != channels)
            return false;
        _parameters.Add(new ChannelParameter(node, input, axis, tensor));
        return true;
    }

    private bool Union(string x, string y)
    {
        if (IsConstant(x) || Channels(x) is not { } channels || channels != Channels(y))
            return false;
        string a = GroupOf(x), b = GroupOf(y);
        if (a == b)
            return true;
        _parents[a] = b;
        if (_fixed.Remove(a, out string? reason))
            _fixed.TryAdd(b, reason);
        return true;
    }

    private void Fix(string tensor, string reason) => _fixed.TryAdd(GroupOf(tensor), reason);
}
