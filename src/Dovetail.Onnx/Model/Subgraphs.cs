namespace Dovetail.Onnx.Model;

/// <summary>
/// The graphs that nodes hold: the branches of an If, the bodies of Loop and Scan. They read tensors of the graphs around them by
/// name, without naming them among the node's inputs. Names of tensors are unique over a graph and all graphs in it.
/// </summary>
internal static class Subgraphs
{
    /// <summary>With the attribute that holds each, e.g. "then_branch".</summary>
    public static IEnumerable<(string Attribute, GraphProto Graph)> Of(NodeProto node)
    {
        foreach (AttributeProto attribute in node.Attributes)
        {
            if (attribute.G is { } graph)
                yield return (attribute.Name, graph);
            foreach ((int index, GraphProto each) in attribute.Graphs.Index())
                yield return ($"{attribute.Name}_{index}", each);
        }
    }

    /// <summary>The tensors that a node reads, once each: its inputs, and what the graphs in it take from around them.</summary>
    public static IEnumerable<string> Reads(NodeProto node)
    {
        IEnumerable<string> inputs = node.Inputs.Where(input => input.Length > 0);
        return node.Attributes.Exists(HoldsGraph) ? inputs.Concat(Of(node).SelectMany(entry => Captures(entry.Graph))).Distinct() : inputs;
    }

    /// <summary>Whether a node reads a tensor, be it from a graph in it.</summary>
    public static bool Reads(NodeProto node, string tensor) =>
        node.Inputs.Contains(tensor) || (node.Attributes.Exists(HoldsGraph) && tensor.Length > 0 && Reads(node).Contains(tensor));

    /// <summary>What a graph reads and does not make itself.</summary>
    public static IEnumerable<string> Captures(GraphProto graph)
    {
        HashSet<string> made = [.. graph.Inputs.Select(input => input.Name), .. graph.Initializers.Select(tensor => tensor.Name),
            .. graph.Nodes.SelectMany(node => node.Outputs)];
        return graph.Nodes.SelectMany(Reads).Concat(graph.Outputs.Select(output => output.Name)).Where(name => !made.Contains(name))
            .Distinct();
    }

    /// <summary>The tensors of a graph itself.</summary>
    public static IEnumerable<string> Tensors(GraphProto graph) =>
        graph.Inputs.Select(input => input.Name).Concat(graph.Initializers.Select(tensor => tensor.Name))
            .Concat(graph.Nodes.SelectMany(node => node.Outputs));

    /// <summary>The names of all tensors and nodes of a graph and of the graphs in it.</summary>
    public static IEnumerable<string> Names(GraphProto graph) =>
        graph.Nodes.SelectMany(node => node.Inputs.Concat(node.Outputs).Append(node.Name)
                .Concat(Of(node).SelectMany(entry => Names(entry.Graph))))
            .Concat(graph.Initializers.Select(tensor => tensor.Name))
            .Concat(graph.Inputs.Concat(graph.Outputs).Select(value => value.Name));

    /// <summary>Whether a node or a tensor of a graph or of one inside it has a name.</summary>
    public static bool HasName(GraphProto graph, string name)
    {
        foreach (NodeProto node in graph.Nodes)
        {
            if (node.Name == name || node.Inputs.Contains(name) || node.Outputs.Contains(name))
                return true;
            if (node.Attributes.Exists(HoldsGraph) && Of(node).Any(entry => HasName(entry.Graph, name)))
                return true;
        }

        return graph.Initializers.Exists(tensor => tensor.Name == name) || graph.Inputs.Exists(input => input.Name == name)
            || graph.Outputs.Exists(output => output.Name == name);
    }

    /// <summary>Makes a node, and the graphs in it, read another tensor.</summary>
    public static void ReplaceReads(NodeProto node, string tensor, string replacement)
    {
        for (int i = 0; i < node.Inputs.Count; i++)
            if (node.Inputs[i] == tensor)
                node.Inputs[i] = replacement;
        foreach ((_, GraphProto graph) in Of(node))
        {
            foreach (NodeProto inner in graph.Nodes)
                ReplaceReads(inner, tensor, replacement);
            foreach (ValueInfoProto output in graph.Outputs.Where(output => output.Name == tensor))
                output.Name = replacement;
        }
    }

    private static bool HoldsGraph(AttributeProto attribute) => attribute.G is not null || attribute.Graphs.Count > 0;
}
