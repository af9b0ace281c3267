using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>
/// Writes an ONNX graph layer by layer with random weights: normal with variance 2 / fan-in (He et al.,
/// 2015), from an explicit seed; biases 0, batch norm scale 1, shift 0, mean 0, variance 1.
/// A layer's parameters are named after its node: "stem.weight", "stem.bias".
/// </summary>
internal sealed class GraphBuilder
{
    /// <summary>ONNX 1.12's operators: every runtime of the last years reads them.</summary>
    public const long Opset = 17;

    private const long IrVersion = 8;

    private readonly Random _random;
    private readonly ModelProto _proto;

    public GraphBuilder(string name, int seed)
    {
        _random = new Random(seed);
        _proto = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "dovetail",
            Graph = new GraphProto { Name = name },
            OpsetImports = { new OperatorSetIdProto { Version = Opset } },
            MetadataProps = { new StringStringEntryProto { Key = "seed", Value = $"{seed}" } },
        };
    }

    private GraphProto Graph => _proto.Graph!;

    public string Input(string name, params ReadOnlySpan<Dim> shape)
    {
        Graph.Inputs.Add(ValueInfoProto.Tensor(name, OnnxType.Float, shape));
        return name;
    }

    /// <summary>A square convolution with padding kernel / 2, without bias: batch norm follows.</summary>
    public string Conv(string name, string input, int inputs, int outputs, int kernel, int stride, int groups = 1)
    {
        Weight($"{name}.weight", [outputs, inputs / groups, kernel, kernel], fanIn: inputs / groups * kernel * kernel);
        int pad = kernel / 2;
        return Node("Conv", name, [input, $"{name}.weight"],
            AttributeProto.Of("kernel_shape", [kernel, kernel]),
            AttributeProto.Of("strides", [stride, stride]),
            AttributeProto.Of("pads", [pad, pad, pad, pad]),
            AttributeProto.Of("dilations", [1, 1]),
            AttributeProto.Of("group", groups));
    }

    /// <summary>A square convolution over patches that do not overlap, with bias.</summary>
    public string PatchConv(string name, string input, int inputs, int outputs, int kernel)
    {
        Weight($"{name}.weight", [outputs, inputs, kernel, kernel], fanIn: inputs * kernel * kernel);
        Fill($"{name}.bias", outputs, 0);
        return Node("Conv", name, [input, $"{name}.weight", $"{name}.bias"],
            AttributeProto.Of("kernel_shape", [kernel, kernel]), AttributeProto.Of("strides", [kernel, kernel]));
    }

    /// <summary>A fully connected layer on the last dimension of a tensor of any rank: MatMul with weights [inputs, outputs], then
    /// Add.</summary>
    public string Linear(string name, string input, int inputs, int outputs)
    {
        Weight($"{name}.weight", [inputs, outputs], fanIn: inputs);
        Fill($"{name}.bias", outputs, 0);
        return Node("Add", $"{name}.add", [Node("MatMul", name, [input, $"{name}.weight"]), $"{name}.bias"]);
    }

    public string LayerNorm(string name, string input, int channels, float epsilon)
    {
        Fill($"{name}.weight", channels, 1);
        Fill($"{name}.bias", channels, 0);
        return Node("LayerNormalization", name, [input, $"{name}.weight", $"{name}.bias"],
            AttributeProto.Of("axis", -1), AttributeProto.Of("epsilon", epsilon));
    }

    /// <summary>A learned tensor: normal with the given deviation.</summary>
    public string Parameter(string name, double deviation, params long[] dims) => Normal(name, dims, deviation);

    public string Constant(string name, float value) => Add(TensorData.Scalar(name, value));

    /// <summary>A constant that several places ask for.</summary>
    public string Shared(string name, float value) => Graph.Initializers.Exists(t => t.Name == name) ? name : Constant(name, value);

    public string Integer(string name, long value) => Add(TensorData.Scalar(name, value));

    public string Constant(string name, params long[] values) => Add(TensorData.Create<long>(name, [values.Length], values));

    public string BatchNorm(string name, string input, int channels)
    {
        Fill($"{name}.weight", channels, 1);
        Fill($"{name}.bias", channels, 0);
        Fill($"{name}.running_mean", channels, 0);
        Fill($"{name}.running_var", channels, 1);
        return Node("BatchNormalization", name,
            [input, $"{name}.weight", $"{name}.bias", $"{name}.running_mean", $"{name}.running_var"],
            AttributeProto.Of("epsilon", 1e-5f), AttributeProto.Of("momentum", 0.9f));
    }

    /// <summary>A fully connected layer, weights [outputs, inputs] (transB).</summary>
    public string Gemm(string name, string input, int inputs, int outputs)
    {
        Weight($"{name}.weight", [outputs, inputs], fanIn: inputs);
        Fill($"{name}.bias", outputs, 0);
        return Node("Gemm", name, [input, $"{name}.weight", $"{name}.bias"], AttributeProto.Of("transB", 1));
    }

    public string Relu(string name, string input) => Node("Relu", name, [input]);

    public string Add(string name, string a, string b) => Node("Add", name, [a, b]);

    public string GlobalAveragePool(string name, string input) => Node("GlobalAveragePool", name, [input]);

    public string Flatten(string name, string input) => Node("Flatten", name, [input], AttributeProto.Of("axis", 1));

    /// <summary>Ends the graph; the last node's output becomes the graph's, under the given name.</summary>
    public OnnxModel Build(string tensor, string outputName, params ReadOnlySpan<Dim> shape)
    {
        NodeProto last = Graph.Nodes.Find(n => n.Outputs.Contains(tensor))!;
        last.Outputs[0] = outputName;
        Graph.Outputs.Add(ValueInfoProto.Tensor(outputName, OnnxType.Float, shape));
        var model = new OnnxModel(_proto);
        model.CheckGraph();
        return model;
    }

    /// <summary>Any node with one output, "NAME.output".</summary>
    public string Node(string op, string name, string[] inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        string output = $"{name}.output";
        var node = new NodeProto(op, name, inputs, [output]);
        foreach (AttributeProto attribute in attributes)
            node.Attributes.Add(attribute);
        Graph.Nodes.Add(node);
        return output;
    }

    /// <summary>A node with several outputs, "NAME.output0", "NAME.output1", …</summary>
    public string[] Split(string name, string input, int axis, int parts)
    {
        string[] outputs = [.. Enumerable.Range(0, parts).Select(i => $"{name}.output{i}")];
        Graph.Nodes.Add(new NodeProto("Split", name, [input], outputs).With("axis", axis));
        return outputs;
    }

    private void Weight(string name, long[] dims, int fanIn) => Normal(name, dims, Math.Sqrt(2.0 / fanIn));

    private string Normal(string name, long[] dims, double deviation)
    {
        var values = new float[dims.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)(deviation * NextNormal());
        return Add(TensorData.Create<float>(name, dims, values));
    }

    private string Add(TensorProto tensor)
    {
        Graph.Initializers.Add(tensor);
        return tensor.Name;
    }

    private void Fill(string name, int count, float value)
    {
        var values = new float[count];
        Array.Fill(values, value);
        Graph.Initializers.Add(TensorData.Create<float>(name, [count], values));
    }

    // Box and Muller; 1 − u keeps the logarithm's argument above 0.
    private double NextNormal() =>
        Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
