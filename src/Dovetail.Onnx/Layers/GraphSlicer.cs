using Dovetail.Onnx.Model;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Layers;

/// <summary>Cuts runnable models out of a model: one layer for a benchmark, or all of it with more outputs.</summary>
public static class GraphSlicer
{
    /// <summary>A copy that also outputs the given tensors (calibration, capture of activations).</summary>
    /// <exception cref="OnnxException">The graph has no such tensor.</exception>
    public static OnnxModel WithOutputs(OnnxModel model, IEnumerable<string> tensorNames)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tensorNames);
        OnnxModel copy = model.Clone();
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(copy);
        foreach (string name in tensorNames.Distinct().Where(n => !copy.IsOutput(n)))
            copy.Graph.Outputs.Add(Find(shapes, name).ToValueInfo(name));
        return copy;
    }

    /// <summary>A copy whose inputs have numbers in place of symbols, e.g. "tokens" = 128.</summary>
    /// <exception cref="OnnxException">No input has such a symbol, or a size is below 1.</exception>
    public static OnnxModel WithDimensions(OnnxModel model, IReadOnlyDictionary<string, long> sizes)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(sizes);
        OnnxModel copy = model.Clone();
        NameOpenDimensions(copy);
        List<DimensionProto> symbols = [
            .. copy.Inputs.SelectMany(i => i.Type?.Tensor?.Shape?.Dims ?? []).Where(d => d.Symbol is { Length: > 0 })];
        foreach ((string symbol, long size) in sizes)
        {
            List<DimensionProto> named = symbols.FindAll(d => d.Symbol == symbol);
            if (named.Count == 0 || size < 1)
                throw new OnnxException(named.Count == 0
                    ? $"No input of '{model.Graph.Name}' has the dimension '{symbol}', expected one of: "
                        + $"{string.Join(", ", symbols.Select(d => d.Symbol).Distinct())}."
                    : $"The size of dimension '{symbol}' is {size}, expected 1 or more.");
            named.ForEach(d => (d.Symbol, d.Value) = (null, size));
        }

        copy.Graph.ValueInfos.Clear();
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.Infer(copy);
        for (int i = 0; i < copy.Graph.Outputs.Count; i++)
            copy.Graph.Outputs[i] = Find(shapes, copy.Graph.Outputs[i].Name).ToValueInfo(copy.Graph.Outputs[i].Name);
        return copy;
    }

    /// <summary>A copy whose inputs and outputs say again what those of another model say, which it was made from by
    /// <see cref="WithDimensions"/>.</summary>
    public static OnnxModel WithInterfaceOf(OnnxModel model, OnnxModel source)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(source);
        OnnxModel copy = model.CloneSharingTensors();
        Take(copy.Graph.Inputs, source.Graph.Inputs);
        Take(copy.Graph.Outputs, source.Graph.Outputs);
        return copy;

        static void Take(List<ValueInfoProto> values, List<ValueInfoProto> said)
        {
            for (int i = 0; i < values.Count; i++)
                values[i] = said.Find(value => value.Name == values[i].Name) is { } own ? ProtoBuf.Serializer.DeepClone(own) : values[i];
        }
    }

    /// <summary>Gives what inputs leave open without a name one: the input's with the number of the axis, "state_1".</summary>
    public static void NameOpenDimensions(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (ValueInfoProto input in model.Inputs)
            foreach ((int axis, DimensionProto dimension) in (input.Type?.Tensor?.Shape?.Dims ?? []).Index())
                if (dimension is { Value: null or <= 0, Symbol: null or "" })
                    (dimension.Value, dimension.Symbol) = (null, $"{input.Name}_{axis}");
    }

    /// <summary>
    /// The model of one node with its constants. What it reads otherwise becomes an input, with the batch
    /// left open. An int8 layer keeps the DequantizeLinear and QuantizeLinear nodes around it, so that a
    /// runtime fuses them as in the whole network; a Relu or Clip between the node and its QuantizeLinear stays too.
    /// </summary>
    /// <exception cref="OnnxException">There is no such node.</exception>
    public static OnnxModel SingleLayer(OnnxModel model, string nodeName)
    {
        ArgumentNullException.ThrowIfNull(model);
        OnnxModel copy = model.CloneSharingTensors();
        copy.NameNodes();
        (OnnxModel graph, NodeProto node) = copy.FindNodeWithin(nodeName)
            ?? throw new OnnxException($"The graph '{copy.Graph.Name}' has no node '{nodeName}', expected one of: "
                + $"{string.Join(", ", copy.Nodes.Select(n => n.Name))}.");
        IReadOnlyDictionary<string, TensorInfo> shapes = ShapeInference.InferWithBodies(copy, null)[graph.Graph];
        if (graph.Outer is not null)
            copy = Detach(graph, node);
        var nodes = new HashSet<NodeProto> { node };
        foreach (string input in node.Inputs)
            if (copy.FindProducer(input) is { } producer && (producer.Is("DequantizeLinear") || producer.Is("Constant")))
                nodes.Add(producer);
        string output = node.Outputs[0];
        if (node.Domain.Length == 0 && nodes.Any(n => n.Is("DequantizeLinear")))
            output = FollowToQuantize(copy, output, nodes);
        return Extract(copy, nodes, [output], shapes);
    }

    /// <summary>A graph inside a node as a model of its own, with what one of its nodes takes from the graphs around it.</summary>
    private static OnnxModel Detach(OnnxModel graph, NodeProto node)
    {
        var proto = new ModelProto { IrVersion = graph.Proto.IrVersion, Graph = graph.Graph };
        OnnxModel root = graph;
        while (root.Outer is not null)
            root = root.Outer;
        proto.OpsetImports.AddRange(root.Proto.OpsetImports);
        IEnumerable<NodeProto> producers = node.Inputs.Select(graph.FindProducer).OfType<NodeProto>();
        foreach (string name in producers.Append(node).SelectMany(one => one.Inputs).Where(
            name => name.Length > 0 && !graph.Makes(name)).Distinct())
            if (graph.FindConstant(name) is { } constant)
            {
                TensorProto copy = ProtoBuf.Serializer.DeepClone(constant);
                copy.Name = name;
                proto.Graph.Initializers.Add(copy);
            }

        return new OnnxModel(proto);
    }

    private static string FollowToQuantize(OnnxModel model, string tensor, HashSet<NodeProto> nodes)
    {
        NodeProto? next = model.SingleConsumer(tensor);
        NodeProto? clamp = next is not null && PackedActivation.FindClamp(model, next) is not null ? next : null;
        NodeProto? quantize = clamp is null ? next : model.SingleConsumer(clamp.Outputs[0]);
        if (quantize is null || !quantize.Is("QuantizeLinear"))
            return tensor;
        if (clamp is not null)
            nodes.Add(clamp);
        nodes.Add(quantize);
        return quantize.Outputs[0];
    }

    private static OnnxModel Extract(
        OnnxModel model, HashSet<NodeProto> nodes, string[] outputs, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        model.Nodes.RemoveAll(n => !nodes.Contains(n));
        var made = new HashSet<string>(model.Nodes.SelectMany(n => n.Outputs));
        made.UnionWith(model.Graph.Initializers.Select(t => t.Name));
        string[] inputs = [.. model.Nodes.SelectMany(n => n.Inputs).Where(i => i.Length > 0 && !made.Contains(i)).Distinct()];
        model.Graph.Inputs.Clear();
        model.Graph.Outputs.Clear();
        model.Graph.ValueInfos.Clear();
        model.Graph.Inputs.AddRange(inputs.Select(name => Find(shapes, name).ToValueInfo(name)));
        model.Graph.Outputs.AddRange(outputs.Select(name => Find(shapes, name).ToValueInfo(name)));
        model.RemoveUnusedInitializers();
        model.CheckGraph();
        return model;
    }

    private static TensorInfo Find(IReadOnlyDictionary<string, TensorInfo> shapes, string name) =>
        shapes.TryGetValue(name, out TensorInfo? info) ? info : throw new OnnxException($"The graph has no tensor '{name}'.");
}
