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
    private readonly IReadOnlyDictionary<string, TensorInfo> _shapes;
    private readonly LayoutFreeOperators _free;
    private readonly HashSet<NodeProto> _pooled = [];

    private ChannelsLastRegions(OnnxModel model)
    {
        _model = model;
        // Names of NCHW tensors stay while the pass runs, so these shapes stay right.
        _shapes = ShapeInference.Infer(model);
        _free = new LayoutFreeOperators(model, _shapes);
    }

    public static void Grow(OnnxModel model)
    {
        var regions = new ChannelsLastRegions(model);
        while (regions.Cancel() || regions.MovePooled() || regions.MoveDown())
            model.RemoveDeadNodes();
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

    private bool Cancel()
    {
        foreach (NodeProto node in _model.Nodes.Where(n => n.Is("Transpose") && !_model.IsOutput(n.Outputs[0])))
        {
            if (Permutes(node, ToLast) && _model.FindProducer(node.Inputs[0]) is { } before && Permutes(before, ToFirst))
            {
                Bypass(node, before.Inputs[0]);
                return true;
            }

            NodeProto? twin = _model.Nodes.Find(
                n => n.Is("Transpose") && n.Inputs[0] == node.Inputs[0] && Permutes(n, node.FindInts("perm") ?? []));
            if (twin is not null && twin != node)
            {
                Bypass(node, twin.Outputs[0]);
                return true;
            }
        }

        return false;
    }

    private void Bypass(NodeProto node, string replacement)
    {
        _model.ReplaceUses(node.Outputs[0], replacement);
        _model.Nodes.Remove(node);
    }

    private bool MoveDown()
    {
        foreach (NodeProto transpose in _model.Nodes.Where(n => Permutes(n, ToFirst)).ToList())
        {
            string tensor = transpose.Outputs[0];
            IReadOnlyList<NodeProto> readers = _model.Consumers(tensor);
            bool all = !_model.IsOutput(tensor) && readers.All(CanMoveOver);
            foreach (NodeProto reader in readers)
            {
                if (!CanMoveOver(reader) || Permutes(reader, ToLast))
                    continue;
                bool leads = LeadsToChannelsLast(reader, []);
                bool free = all && (_free.Read(reader) is not { Operator.Layout.AllInputs: true } || reader.Inputs.All(IsFreeInput));
                if (leads || free)
                {
                    MoveOver(reader, transpose.Inputs[0]);
                    return true;
                }
            }
        }

        return false;
    }

    private bool CanMoveOver(NodeProto node) => Permutes(node, ToLast) || _free.EndsLayout(node) || _free.Contains(node);

    // Costs no Transpose: it comes from NHWC anyway, or is a constant.
    private bool IsFreeInput(string tensor) => Permutes(_model.FindProducer(tensor), ToFirst) || _free.IsPermutableConstant(tensor);

    private bool LeadsToChannelsLast(NodeProto node, HashSet<NodeProto> seen)
    {
        if (Permutes(node, ToLast) || _free.EndsLayout(node))
            return true;
        return seen.Add(node) && CanMoveOver(node) && _model.Consumers(node.Outputs[0]).Any(next => LeadsToChannelsLast(next, seen));
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
            _free.TurnWindow(op);
        if (layout.Axis is not null)
            node.With(layout.Axis, 3);
        int dataInputs = layout.AllInputs ? node.Inputs.Count : 1;
        for (int i = 0; i < dataInputs; i++)
            node.Inputs[i] = ChannelsLast(node, node.Inputs[i]);
        int outputs = layout.AllOutputs ? node.Outputs.Count : 1;
        for (int i = 0; i < outputs; i++)
        {
            string output = node.Outputs[i];
            node.Outputs[i] = _model.UniqueName($"{output}_nhwc");
            _model.Nodes.Insert(_model.Nodes.IndexOf(node) + 1, ToChannelsFirst(_model, node.Outputs[i], output));
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
        string moved = op.Node.Inputs[input.Value] = _model.UniqueName($"{constant.Name}_nhwc");
        _model.AddInitializer(constant.DataType == OnnxType.Int64
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
        if (_model.FindProducer(tensor) is { } producer && Permutes(producer, ToFirst))
            return producer.Inputs[0];
        if (_model.FindInitializer(tensor) is { } constant)
            return ChannelsLastConstant(constant);
        NodeProto transpose = ToChannelsLast(_model, tensor);
        _model.Nodes.Insert(_model.Nodes.IndexOf(reader), transpose);
        return transpose.Outputs[0];
    }

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
        string name = _model.UniqueName($"{constant.Name}_nhwc");
        _model.AddInitializer(TensorData.Create<float>(name, [dims[0], dims[2], dims[3], channels], moved));
        return name;
    }

    private void ReplacePool(NodeProto pool, OperatorSchema twin, string channelsLast)
    {
        int at = _model.Nodes.IndexOf(pool);
        var mean = DovetailNodes.New(twin, pool.Name, [channelsLast], [_model.UniqueName($"{pool.Outputs[0]}_rows")]);
        string shape = _model.AddInitializer(TensorData.Create<long>(_model.UniqueName($"{pool.Name}.shape"), [4], [0, -1, 1, 1])).Name;
        var reshape = new NodeProto("Reshape", _model.UniqueName($"{pool.Name}.reshape"), [mean.Outputs[0], shape], [pool.Outputs[0]]);
        _pooled.Add(reshape);
        _model.Nodes[at] = mean;
        _model.Nodes.Insert(at + 1, reshape);
    }

    // Moves the Reshape [N, C] → [N, C, 1, 1] behind a pool down over unary operators, into a Flatten.
    private bool MovePooled()
    {
        foreach (NodeProto reshape in _pooled.Where(_model.Nodes.Contains).ToList())
        {
            string rows = reshape.Inputs[0], tensor = reshape.Outputs[0];
            if (_model.SingleConsumer(tensor) is not { } reader || reader.Inputs[0] != tensor)
                continue;
            if (_free.IsElementwise(reader))
            {
                string output = reader.Outputs[0];
                reader.Inputs[0] = rows;
                reader.Outputs[0] = _model.UniqueName($"{output}_rows");
                (reshape.Inputs[0], reshape.Outputs[0]) = (reader.Outputs[0], output);
                _model.Nodes.Remove(reshape);
                _model.Nodes.Insert(_model.Nodes.IndexOf(reader) + 1, reshape);
                return true;
            }

            bool flattens = OperatorNode.Find(_model, reader) is { Operator.Channels: ChannelTie.Shape }
                && _shapes[reader.Outputs[0]].Shape is [_, { IsKnown: true } channels]
                    && channels == _shapes[tensor].Shape.ElementAtOrDefault(1);
            if (flattens && !_model.IsOutput(reader.Outputs[0]))
            {
                Bypass(reader, rows);
                _model.Nodes.Remove(reshape);
                return true;
            }
        }

        return false;
    }
}
