using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Quantize;

/// <summary>
/// Which tensors of a prepared model become uint8, and which of them share a range.
/// 1. Inputs and outputs of layers with weights, of Adds of two activations of equal shape, and of average pools.
/// 2. A Relu, or a Clip from 0, that alone reads a layer's or an Add's output belongs to it: only its result counts.
/// 3. Operators that move values (MaxPool, Flatten, Reshape, Transpose, Squeeze) keep the range of their
///    input, in both directions, so that they can run on the bytes.
/// </summary>
internal sealed class QuantizationPlan
{
    private readonly OnnxModel _model;
    private readonly Dictionary<string, string> _roots = [];
    private readonly HashSet<string> _tensors = [];

    public QuantizationPlan(OnnxModel model)
    {
        _model = model;
        model.NameNodes();
        Layers = [.. WeightLayers.Find(model, ShapeInference.Infer(model, batch: 1))
            .Where(l => !l.IsQuantized && QuantizationPass.ReasonAgainst(l) is null)];
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(model);
        using OnnxModel.Frozen frozen = model.Freeze();
        var layerNodes = Layers.Select(l => l.Node).ToHashSet();
        foreach (NodeProto node in model.Nodes)
        {
            bool add = node.Is("Add") && node.Inputs.All(i => model.FindConstant(i) is null) && shapes[node.Inputs[0]].HasShape
                && shapes[node.Inputs[0]].Equals(shapes[node.Inputs[1]]);
            bool layer = layerNodes.Contains(node);
            if (!layer && !add && !node.Is("GlobalAveragePool") && !node.Is("AveragePool"))
                continue;
            _tensors.Add(node.Inputs[0]);
            if (add)
                _tensors.Add(node.Inputs[1]);
            NodeProto? activation = layer || add ? FoldableActivation(node) : null;
            if (activation is not null)
                Activations.Add((node, activation));
            _tensors.Add((activation ?? node).Outputs[0]);
        }

        FollowMoves();
    }

    public IReadOnlyList<WeightLayer> Layers { get; }

    /// <summary>Nodes whose activation the range of its output expresses.</summary>
    public List<(NodeProto Node, NodeProto Activation)> Activations { get; } = [];

    /// <summary>The tensors that become uint8, in graph order.</summary>
    public IReadOnlyList<string> Tensors =>
        [.. _model.Inputs.Select(i => i.Name).Concat(_model.Nodes.SelectMany(n => n.Outputs)).Where(_tensors.Contains)];

    /// <summary>The tensor whose range another one has.</summary>
    public string Root(string tensor)
    {
        string root = tensor;
        while (_roots.TryGetValue(root, out string? next))
            root = next;
        while (_roots.TryGetValue(tensor, out string? next) && next != root) // the next search is short
            (_roots[tensor], tensor) = (root, next);
        return root;
    }

    private NodeProto? FoldableActivation(NodeProto node) => _model.SingleConsumer(node.Outputs[0]) switch
    {
        { } next when next.Is("Relu") => next,
        { } next when next.Is("Clip") && OperatorNode.Find(_model, next)?.Float("min", float.NegativeInfinity) == 0 => next,
        _ => null,
    };

    private void FollowMoves()
    {
        List<NodeProto> moves = [
            .. _model.Nodes.Where(
                n => n.Domain.Length == 0 && n.OpType is "MaxPool" or "Flatten" or "Reshape" or "Transpose" or "Squeeze")];
        ILookup<string, NodeProto> readers = moves.ToLookup(node => node.Inputs[0]), makers = moves.ToLookup(node => node.Outputs[0]);
        var reached = new Stack<string>(_tensors);
        while (reached.TryPop(out string? tensor))
            foreach (string other in readers[tensor].Select(node => node.Outputs[0]).Concat(makers[tensor].Select(node => node.Inputs[0])))
                if (_tensors.Add(other))
                    reached.Push(other);

        foreach (NodeProto node in moves.Where(n => _tensors.Contains(n.Outputs[0])))
            _roots[node.Outputs[0]] = node.Inputs[0];
    }
}
