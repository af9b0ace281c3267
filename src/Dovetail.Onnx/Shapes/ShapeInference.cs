using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Shapes;

/// <summary>
/// Element types and shapes of all tensors of a graph, in one walk over its nodes. A batch that is a
/// symbol stays one. Types and shapes are computed from the inputs; value_info in the file is not trusted.
/// </summary>
public static class ShapeInference
{
    private static readonly Dictionary<string, Func<ShapeContext, TensorInfo>> Rules = new()
    {
        ["Conv"] = c => WindowRules.Conv(c),
        ["MaxPool"] = WindowRules.Pool,
        ["AveragePool"] = WindowRules.Pool,
        ["GlobalAveragePool"] = WindowRules.GlobalPool,
        ["GlobalMaxPool"] = WindowRules.GlobalPool,
        ["Gemm"] = MatrixRules.Gemm,
        ["MatMul"] = MatrixRules.MatMul,
        ["BatchNormalization"] = Same,
        ["LayerNormalization"] = Same,
        ["Relu"] = Same,
        ["LeakyRelu"] = Same,
        ["Clip"] = Same,
        ["Sigmoid"] = Same,
        ["Tanh"] = Same,
        ["Erf"] = Same,
        ["Gelu"] = Same,
        ["HardSigmoid"] = Same,
        ["HardSwish"] = Same,
        ["Softmax"] = Same,
        ["Sqrt"] = Same,
        ["Exp"] = Same,
        ["Identity"] = Same,
        ["Dropout"] = Same,
        ["Add"] = Elementwise,
        ["Sub"] = Elementwise,
        ["Mul"] = Elementwise,
        ["Div"] = Elementwise,
        ["Pow"] = Elementwise,
        ["Equal"] = Compare,
        ["Less"] = Compare,
        ["LessOrEqual"] = Compare,
        ["Greater"] = Compare,
        ["GreaterOrEqual"] = Compare,
        ["And"] = Compare,
        ["Or"] = Compare,
        ["Not"] = Same,
        ["Where"] = c => new TensorInfo(c.Input(1).Type, c.Broadcast(new TensorInfo(c.Input(1).Type, c.Broadcast(c.Input(0), c.Input(1))), c.Input(2))),
        ["Trilu"] = Same,
        ["Abs"] = Same,
        ["Log"] = Same,
        ["Elu"] = Same,
        ["Softplus"] = Same,
        ["Mish"] = Same,
        ["LogSoftmax"] = Same,
        ["Shape"] = c => new TensorInfo(OnnxType.Int64, [ShapeValues.ShapeOf(c.Node, c.Input(0)).Length]),
        ["ConstantOfShape"] = DynamicRules.ConstantOfShape,
        ["Expand"] = DynamicRules.Expand,
        ["Range"] = c => new TensorInfo(c.Input(0).Type, [Dim.Unknown]),
        ["Slice"] = DynamicRules.Slice,
        ["Split"] = c => DynamicRules.Split(c)[0],
        ["Pad"] = DynamicRules.Pad,
        ["Resize"] = DynamicRules.Resize,
        ["ReduceMean"] = LayoutRules.Reduce,
        ["ReduceSum"] = LayoutRules.Reduce,
        ["Flatten"] = LayoutRules.Flatten,
        ["Reshape"] = LayoutRules.Reshape,
        ["Transpose"] = LayoutRules.Transpose,
        ["Concat"] = LayoutRules.Concat,
        ["Gather"] = LayoutRules.Gather,
        ["Squeeze"] = LayoutRules.Squeeze,
        ["Unsqueeze"] = LayoutRules.Unsqueeze,
        ["Constant"] = Constant,
        ["Cast"] = c => new TensorInfo((OnnxType)c.Node.GetInt("to"), c.Input(0).Shape),
        ["Max"] = Elementwise,
        ["Min"] = Elementwise,
        ["Neg"] = Same,
        ["Reciprocal"] = Same,
        ["QLinearConv"] = c => WindowRules.Conv(c, weights: 3) with { Type = c.Input(7).Type },
        ["MatMulInteger"] = c => MatrixRules.MatMul(c) with { Type = OnnxType.Int32 },
        ["QuantizeLinear"] = c => new TensorInfo(c.Node.HasInput(2) ? c.Input(2).Type : OnnxType.UInt8, c.Input(0).Shape),
        ["DequantizeLinear"] = c => new TensorInfo(OnnxType.Float, c.Input(0).Shape),
        ["ai.dovetail.MaxPoolNhwc"] = WindowRules.SlideChannelsLast,
        ["ai.dovetail.MaxPoolNhwcU8"] = WindowRules.SlideChannelsLast,
        ["ai.dovetail.AveragePoolNhwc"] = WindowRules.SlideChannelsLast,
        ["ai.dovetail.DepthwiseConvNhwc"] = WindowRules.SlideChannelsLast,
        ["ai.dovetail.GlobalAveragePoolNhwc"] = c => new TensorInfo(OnnxType.Float, [c.Input(0, rank: 4).Shape[0], c.Input(0).Shape[3]]),
        ["ai.dovetail.PackedConv"] = c => WindowRules.PackedConv(c, OnnxType.Float),
        ["ai.dovetail.PackedQLinearConv"] = c => WindowRules.PackedConv(c, OnnxType.UInt8),
        ["ai.dovetail.PackedGemm"] = c => MatrixRules.PackedGemm(c, OnnxType.Float),
        ["ai.dovetail.PackedQLinearGemm"] = c => MatrixRules.PackedGemm(c, OnnxType.UInt8),
    };

    /// <summary>Operators whose outputs are several.</summary>
    private static readonly Dictionary<string, Func<ShapeContext, TensorInfo[]>> SeveralOutputs = new()
    {
        ["Split"] = DynamicRules.Split,
    };

    /// <summary>How many inputs an operator must have, where that is not one.</summary>
    private static readonly Dictionary<string, int> RequiredInputs = new()
    {
        ["Constant"] = 0,
        ["Conv"] = 2,
        ["Gemm"] = 2,
        ["MatMul"] = 2,
        ["BatchNormalization"] = 5,
        ["Add"] = 2,
        ["Sub"] = 2,
        ["Mul"] = 2,
        ["Div"] = 2,
        ["Pow"] = 2,
        ["Max"] = 2,
        ["Min"] = 2,
        ["Gather"] = 2,
        ["Reshape"] = 2,
        ["Equal"] = 2,
        ["Less"] = 2,
        ["LessOrEqual"] = 2,
        ["Greater"] = 2,
        ["GreaterOrEqual"] = 2,
        ["And"] = 2,
        ["Or"] = 2,
        ["Where"] = 3,
        ["Expand"] = 2,
        ["Range"] = 3,
        ["QLinearConv"] = 8,
        ["MatMulInteger"] = 2,
        ["QuantizeLinear"] = 2,
        ["DequantizeLinear"] = 2,
        ["ai.dovetail.DepthwiseConvNhwc"] = 2,
        ["ai.dovetail.PackedConv"] = 3,
        ["ai.dovetail.PackedGemm"] = 3,
        ["ai.dovetail.PackedQLinearConv"] = 8,
        ["ai.dovetail.PackedQLinearGemm"] = 8,
    };

    /// <summary>The operators with a rule, for messages.</summary>
    public static IReadOnlyCollection<string> SupportedOperators => Rules.Keys;

    /// <param name="model">The graph, in topological order.</param>
    /// <param name="batch">Replaces a first dimension of an input that is not a number; null leaves it.</param>
    /// <returns>By tensor name, inputs and initializers included.</returns>
    /// <exception cref="OnnxException">An operator has no rule, or shapes contradict each other.</exception>
    public static IReadOnlyDictionary<string, TensorInfo> Infer(OnnxModel model, int? batch = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.CheckGraph();
        var known = new Dictionary<string, TensorInfo>();
        var values = new ShapeValues(model);
        foreach (TensorProto tensor in model.Graph.Initializers)
            known[tensor.Name] = new TensorInfo(tensor.DataType, [.. tensor.Dims.Select(d => (Dim)d)]);
        foreach (ValueInfoProto input in model.Graph.Inputs)
            if (!known.ContainsKey(input.Name))
                known[input.Name] = InputInfo(input, batch);
        foreach (NodeProto node in model.Nodes)
        {
            string key = node.Domain is "" or "ai.onnx" ? node.OpType : $"{node.Domain}.{node.OpType}";
            if (!Rules.TryGetValue(key, out Func<ShapeContext, TensorInfo>? rule))
                throw new OnnxException($"{node}: operator '{key}' is not supported here, expected one of: {string.Join(", ", Rules.Keys)}.");
            if (node.Outputs is not [{ Length: > 0 }, ..])
                throw new OnnxException($"{node} has no output.");
            int required = RequiredInputs.GetValueOrDefault(key, 1);
            if (!Enumerable.Range(0, required).All(node.HasInput))
                throw new OnnxException($"{node} has the inputs [{string.Join(", ", node.Inputs)}], and its first {required} are required.");
            var context = new ShapeContext(model, node, known, values);
            known[node.Outputs[0]] = rule(context);
            if (node.Outputs.Count > 1 && SeveralOutputs.TryGetValue(key, out Func<ShapeContext, TensorInfo[]>? several))
                foreach ((string output, TensorInfo info) in node.Outputs.Zip(several(context)))
                    known[output] = info;
            values.Follow(node, context.Input);
        }

        return known;
    }

    private static TensorInfo InputInfo(ValueInfoProto input, int? batch)
    {
        TensorTypeProto type = input.Type?.Tensor ?? throw new OnnxException($"Input '{input.Name}' has no tensor type; expected one.");
        if (type.Shape is null)
            throw new OnnxException($"Input '{input.Name}' has no shape; expected one (single dimensions may be symbols).");
        // A dimension that the file leaves open gets a symbol of its own, so that equal sizes can be told.
        Dim[] shape = [.. type.Shape.Dims.Select((d, i) => d.Value > 0 ? new Dim(d.Value) : new Dim(null, d.Symbol is { Length: > 0 } symbol ? symbol : $"{input.Name}_{i}"))];
        if (batch is { } size && shape.Length > 0 && !shape[0].IsKnown)
            shape[0] = size;
        return new TensorInfo(type.ElementType, shape);
    }

    private static TensorInfo Same(ShapeContext c) => c.Input(0);

    private static TensorInfo Elementwise(ShapeContext c) => new(c.Input(0).Type, c.Broadcast(c.Input(0), c.Input(1)));

    private static TensorInfo Compare(ShapeContext c) => Elementwise(c) with { Type = OnnxType.Bool };

    private static TensorInfo Constant(ShapeContext c)
    {
        TensorProto value = c.Node.FindTensor("value") ?? throw c.Bad("only the attribute 'value' is supported");
        return new TensorInfo(value.DataType, [.. value.Dims.Select(d => (Dim)d)]);
    }
}
