using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Layout;

/// <summary>
/// Grows the NHWC regions around packed convolutions until Transposes stand only at their borders.
/// 1. Every packed convolution stands between a Transpose to NHWC and one back.
/// 2. A Transpose back to NCHW moves down over an operator that does not care about layout: the operator
///    then works in NHWC. Its other inputs are transposed too; constants at once.
/// 3. A Transpose back followed by one to NHWC is nothing; two equal Transposes of a tensor are one.
/// 4. Pooling and depthwise convolutions become NHWC operators (<see cref="ChannelsLastWindows"/>). Behind global
///    average pooling stands a Reshape that moves down and disappears into the Flatten behind it.
/// 5. A Transpose moves over an operator with several readers of its input only where that leads to
///    another NHWC consumer or all readers can take it, so no step adds a border for nothing.
/// </summary>
internal sealed class ChannelsLastRegions
{
    private static readonly long[] ToLast = [0, 2, 3, 1];
    private static readonly long[] ToFirst = [0, 3, 1, 2];

    private readonly OnnxModel _model;
    private readonly GraphIndex _graph;
    private readonly IReadOnlyDictionary<string, TensorInfo> _shapes;
    private readonly LayoutFreeOperators _free;
    private readonly HashSet<NodeProto> _pooled = [];

    // Nodes from which operators that do not care about layout lead to a Transpose to NHWC, or to what ends the layout. It only grows:
    // where such a Transpose goes, the nodes before it work in NHWC already.
    private readonly HashSet<NodeProto> _leading = [];

    // The Transposes to NCHW that may move.
    private readonly HashSet<NodeProto> _moving = [];

    private ChannelsLastRegions(OnnxModel model)
    {
        _model = model;
        _graph = new GraphIndex(model);
        // Names of NCHW tensors stay while the pass runs, so these shapes stay right.
        _shapes = ShapeInference.Infer(model);
        _free = new LayoutFreeOperators(model, _shapes);
    }

    public static void Grow(OnnxModel model)
    {
        if (!model.Nodes.Exists(node => Permutes(node, ToFirst)))
            return;
        var regions = new ChannelsLastRegions(model);
        regions.CancelAll();
        foreach (NodeProto node in model.Nodes)
            if (Permutes(node, ToLast) || regions._free.EndsLayout(node))
                regions.Lead(node);
        regions._moving.UnionWith(model.Nodes.Where(node => Permutes(node, ToFirst)));
        do
        {
            while (regions.MovePooled())
            {
            }
        }
        while (regions.MoveDown());
        model.RemoveDeadNodes();
    }

    public static NodeProto ToChannelsLast(OnnxModel model, string input) =>
        new NodeProto("Transpose", model.UniqueName($"{input}.to_nhwc"), [input], [model.UniqueName($"{input}_to_nhwc")])
            .With("perm", ToLast);

    public static NodeProto ToChannelsFirst(OnnxModel model, string input, string output) =>
        new NodeProto("Transpose", model.UniqueName($"{output}.to_nchw"), [input], [output]).With("perm", ToFirst);

    public static bool IsToChannelsLast(NodeProto node) => Permutes(node, ToLast);

    public static bool IsToChannelsFirst(NodeProto node) => Permutes(node, ToFirst);

    private static bool Permutes(NodeProto? node, long[] order) =>
        node is not null && node.Is("Transpose") && node.FindInts("perm") is { } perm && perm.AsSpan().SequenceEqual(order);

    /// <summary>Everywhere; afterwards it is done where something moves.</summary>
    private void CancelAll()
    {
        bool found = true;
        while (found)
        {
            found = false;
            foreach (NodeProto node in _model.Nodes.Where(node => node.Is("Transpose")).ToList())
                found |= _graph.Producer(node.Outputs[0]) == node && Cancel(node);
        }
    }

    /// <summary>A Transpose to NHWC right behind one to NCHW, or equal to another one of the same tensor, goes.</summary>
    private bool Cancel(NodeProto node)
    {
        if (_graph.IsOutput(node.Outputs[0]))
            return false;
        if (Permutes(node, ToLast) && _graph.Producer(node.Inputs[0]) is { } before && Permutes(before, ToFirst))
        {
            Bypass(node, before.Inputs[0]);
            _graph.RemoveIfDead(before);
            return true;
        }

        long[] order = node.FindInts("perm") ?? [];
        NodeProto? twin = _graph.Readers(node.Inputs[0]).Where(reader => Permutes(reader, order)).MinBy(_model.Nodes.IndexOf);
        if (twin is null || twin == node)
            return false;
        Bypass(node, twin.Outputs[0]);
        return true;
    }

    private void Bypass(NodeProto node, string replacement)
    {
        _graph.ReplaceUses(node.Outputs[0], replacement);
        _graph.Remove(node);
    }

    /// <summary>Moves what can move, each Transpose as far as it goes; false where none moved.</summary>
    private bool MoveDown()
    {
        bool moved = false;
        var waiting = new Queue<NodeProto>(_moving.Where(node => _graph.Producer(node.Outputs[0]) == node).OrderBy(_model.Nodes.IndexOf));
        _moving.Clear();
        while (waiting.TryDequeue(out NodeProto? transpose))
        {
            while (_graph.Producer(transpose.Outputs[0]) == transpose && MoveOneReader(transpose))
                moved = true;
            if (_graph.Producer(transpose.Outputs[0]) == transpose)
                _moving.Add(transpose);
        }

        return moved;
    }

    private bool MoveOneReader(NodeProto transpose)
    {
        string tensor = transpose.Outputs[0];
        IReadOnlyList<NodeProto> readers = _graph.Readers(tensor);
        bool all = !_graph.IsOutput(tensor) && readers.All(CanMoveOver);
        foreach (NodeProto reader in readers)
        {
            if (Permutes(reader, ToLast) || !CanMoveOver(reader))
                continue;
            bool free = all && (_free.Read(reader) is not { Operator.Layout.AllInputs: true } || reader.Inputs.All(IsFreeInput));
            if (_leading.Contains(reader) || free)
            {
                MoveOver(reader, transpose.Inputs[0]);
                _graph.RemoveIfDead(transpose);
                return true;
            }
        }

        return false;
    }

    private bool CanMoveOver(NodeProto node) => Permutes(node, ToLast) || _free.EndsLayout(node) || _free.Contains(node);

    // Costs no Transpose: it comes from NHWC anyway, or is a constant.
    private bool IsFreeInput(string tensor) => Permutes(_graph.Producer(tensor), ToFirst) || _free.IsPermutableConstant(tensor);

    /// <summary>Marks a node, and those that lead to it.</summary>
    private void Lead(NodeProto node)
    {
        var found = new Stack<NodeProto>([node]);
        while (found.TryPop(out NodeProto? next))
            if (_leading.Add(next))
                foreach (string input in Subgraphs.Reads(next))
                    if (_graph.Producer(input) is { } before && before.Outputs[0] == input && CanMoveOver(before))
                        found.Push(before);
    }

    private void MoveOver(NodeProto node, string channelsLast)
    {
        OperatorNode op = _free.Read(node)!;
        LayoutFreedom layout = op.Operator.Layout!;
        if (layout.EndsLayout)
        {
            ReplacePool(node, layout.Twin!, channelsLast);
            return;
        }

        if (_free.FindPerDimension(op) is { } parameter)
            PermuteDimensions(op, parameter);
        if (layout.Twin is not null)
            _free.TurnWindow(op, _graph.UniqueName);
        if (layout.Axis is not null)
            node.With(layout.Axis, 3);
        int dataInputs = layout.AllInputs ? node.Inputs.Count : 1;
        for (int i = 0; i < dataInputs; i++)
            _graph.SetInput(node, i, ChannelsLast(node, node.Inputs[i]));
        int outputs = layout.AllOutputs ? node.Outputs.Count : 1;
        for (int i = 0; i < outputs; i++)
        {
            string output = node.Outputs[i];
            _graph.SetOutput(node, i, _graph.UniqueName($"{output}_nhwc"));
            NodeProto back = Transpose($"{output}.to_nchw", node.Outputs[i], output, ToFirst);
            _graph.InsertAfter(node, back);
            _moving.Add(back);
            foreach (NodeProto reader in _graph.Readers(output).Where(reader => Permutes(reader, ToLast)).ToList())
                Cancel(reader);
            _graph.RemoveIfDead(back);
        }
    }

    // One number a dimension, or several runs of such.
    private void PermuteDimensions(OperatorNode op, string parameter)
    {
        (AttributeProto? attribute, int? input) = op.Locate(parameter);
        if (attribute is not null)
        {
            Turn(attribute.Ints);
            Turn(attribute.Floats);
            return;
        }

        TensorProto constant = _model.FindConstant(op.Node.Inputs[input!.Value])!;
        string moved = _graph.UniqueName($"{constant.Name}_nhwc");
        _graph.SetInput(op.Node, input.Value, moved);
        _graph.AddInitializer(constant.DataType == OnnxType.Int64
            ? TensorData.Create<long>(moved, [.. constant.Dims], Permute(constant.Read<long>()))
            : TensorData.Create<float>(moved, [.. constant.Dims], Permute(constant.ToFloats())));

        static T[] Permute<T>(IReadOnlyList<T> values) =>
            [.. Enumerable.Range(0, values.Count).Select(i => values[i / 4 * 4 + (int)ToLast[i % 4]])];

        static void Turn<T>(List<T> values)
        {
            T[] turned = Permute(values);
            values.Clear();
            values.AddRange(turned);
        }
    }

    private string ChannelsLast(NodeProto reader, string tensor)
    {
        if (_graph.Producer(tensor) is { } producer && Permutes(producer, ToFirst))
            return producer.Inputs[0];
        if (_model.FindInitializer(tensor) is { } constant)
            return ChannelsLastConstant(constant);
        if (_graph.Readers(tensor).FirstOrDefault(other => Permutes(other, ToLast)) is { } same
            && _model.Nodes.IndexOf(same) < _model.Nodes.IndexOf(reader))
            return same.Outputs[0];
        NodeProto transpose = Transpose($"{tensor}.to_nhwc", tensor, _graph.UniqueName($"{tensor}_to_nhwc"), ToLast);
        _graph.InsertBefore(reader, transpose);
        Lead(transpose);
        foreach (NodeProto later in _graph.Readers(tensor).Where(other => other != transpose && Permutes(other, ToLast)).ToList())
            Cancel(later);
        return transpose.Outputs[0];
    }

    private NodeProto Transpose(string name, string input, string output, long[] order) =>
        new NodeProto("Transpose", _graph.UniqueName(name), [input], [output]).With("perm", order);

    private string ChannelsLastConstant(TensorProto constant)
    {
        if (constant.ElementCount() == 1 && constant.Dims.Count <= 1)
            return constant.Name;
        int[] dims = [.. Enumerable.Repeat(1, 4 - constant.Dims.Count), .. constant.Shape()];
        float[] values = constant.ToFloats(), moved = new float[values.Length];
        int channels = dims[1], pixels = dims[2] * dims[3];
        for (int n = 0; n < dims[0]; n++)
            for (int c = 0; c < channels; c++)
                for (int p = 0; p < pixels; p++)
                    moved[(n * pixels + p) * channels + c] = values[(n * channels + c) * pixels + p];
        string name = _graph.UniqueName($"{constant.Name}_nhwc");
        _graph.AddInitializer(TensorData.Create<float>(name, [dims[0], dims[2], dims[3], channels], moved));
        return name;
    }

    private void ReplacePool(NodeProto pool, OperatorSchema twin, string channelsLast)
    {
        var mean = DovetailNodes.New(twin, pool.Name, [channelsLast], [_graph.UniqueName($"{pool.Outputs[0]}_rows")]);
        string shape = _graph.AddInitializer(TensorData.Create<long>(_graph.UniqueName($"{pool.Name}.shape"), [4], [0, -1, 1, 1])).Name;
        var reshape = new NodeProto("Reshape", _graph.UniqueName($"{pool.Name}.reshape"), [mean.Outputs[0], shape], [pool.Outputs[0]]);
        _pooled.Add(reshape);
        _graph.InsertAfter(pool, mean);
        _graph.Remove(pool);
        _graph.InsertAfter(mean, reshape);
    }

    // Moves the Reshape [N, C] → [N, C, 1, 1] behind a pool down over unary operators, into a Flatten.
    private bool MovePooled()
    {
        foreach (NodeProto reshape in _pooled.ToList())
        {
            string rows = reshape.Inputs[0], tensor = reshape.Outputs[0];
            if (_graph.OnlyReader(tensor) is not { } reader || reader.Inputs[0] != tensor)
                continue;
            if (_free.IsElementwise(reader))
            {
                string output = reader.Outputs[0];
                _graph.Remove(reshape);
                _graph.SetInput(reader, 0, rows);
                _graph.SetOutput(reader, 0, _graph.UniqueName($"{output}_rows"));
                (reshape.Inputs[0], reshape.Outputs[0]) = (reader.Outputs[0], output);
                _graph.InsertAfter(reader, reshape);
                return true;
            }

            bool flattens = OperatorNode.Find(_model, reader) is { Operator.Channels: ChannelTie.Shape }
                && _shapes[reader.Outputs[0]].Shape is [_, { IsKnown: true } channels]
                    && channels == _shapes[tensor].Shape.ElementAtOrDefault(1);
            if (flattens && !_graph.IsOutput(reader.Outputs[0]))
            {
                Bypass(reader, rows);
                _graph.Remove(reshape);
                _pooled.Remove(reshape);
                return true;
            }
        }

        return false;
    }
}
