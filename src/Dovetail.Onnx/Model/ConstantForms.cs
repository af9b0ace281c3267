namespace Dovetail.Onnx.Model;

/// <summary>
/// Constants in one form. ONNX says a Constant node's value by one of eight attributes, and an initializer may be sparse; after this a
/// number is an attribute 'value' or an initializer, dense, wherever it stands: also in the graphs of If, Loop and Scan. Strings stay.
/// </summary>
internal static class ConstantForms
{
    /// <exception cref="OnnxException">A sparse tensor contradicts itself, or would grow too much.</exception>
    public static void Unify(GraphProto graph, string source) => Unify(graph, source, new SparseInitializers.Allowance());

    private static void Unify(GraphProto graph, string source, SparseInitializers.Allowance allowance)
    {
        SparseInitializers.Densify(graph, source, allowance);
        foreach (DimensionProto dimension in graph.Inputs.Concat(graph.Outputs).Concat(graph.ValueInfos)
            .SelectMany(value => value.Type?.Tensor?.Shape?.Dims ?? []))
            if (dimension.Value < 0)
                dimension.Value = null; // what some exporters write for a size that is not known
        foreach (NodeProto node in graph.Nodes)
        {
            if (node.Is("Constant") && node.FindTensor("value") is { } tensor)
                tensor.Name = node.Output(); // which many exporters leave out
            else if (node.Is("Constant") && Read(node, source, allowance) is { } value)
            {
                value.Name = node.Output();
                node.Attributes.Clear();
                node.Attributes.Add(new AttributeProto { Name = "value", T = value, Type = AttributeType.Tensor });
            }

            foreach ((_, GraphProto inner) in Subgraphs.Of(node))
                Unify(inner, source, allowance);
        }
    }

    private static TensorProto? Read(NodeProto node, string source, SparseInitializers.Allowance allowance)
    {
        foreach (AttributeProto attribute in node.Attributes)
        {
            switch (attribute.Name)
            {
                case "value_float":
                    return TensorData.Create<float>("", [], [attribute.F ?? 0]);
                case "value_int":
                    return TensorData.Create<long>("", [], [attribute.I ?? 0]);
                case "value_floats":
                    return TensorData.Create<float>("", [attribute.Floats.Count], [.. attribute.Floats]);
                case "value_ints":
                    return TensorData.Create<long>("", [attribute.Ints.Count], [.. attribute.Ints]);
                case "sparse_value" when attribute.SparseTensor is { } sparse:
                    return SparseInitializers.Densify(sparse, source, allowance);
            }
        }

        return null;
    }
}
