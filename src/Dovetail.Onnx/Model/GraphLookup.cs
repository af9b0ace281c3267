namespace Dovetail.Onnx.Model;

/// <summary>What a graph's look-ups find while nobody edits it, by name.</summary>
internal sealed class GraphLookup
{
    private readonly Dictionary<string, TensorProto> _initializers = [];
    private readonly Dictionary<string, NodeProto> _producers = [];
    private readonly Dictionary<string, List<NodeProto>> _readers = [];
    private readonly HashSet<string> _inputs, _outputs;

    public GraphLookup(GraphProto graph)
    {
        foreach (TensorProto tensor in graph.Initializers)
            _initializers.TryAdd(tensor.Name, tensor);
        foreach (NodeProto node in graph.Nodes)
        {
            foreach (string output in node.Outputs)
                _producers.TryAdd(output, node);
            foreach (string input in Subgraphs.Reads(node).Distinct())
                if (_readers.TryGetValue(input, out List<NodeProto>? readers))
                    readers.Add(node);
                else
                    _readers[input] = [node];
        }

        _inputs = [.. graph.Inputs.Select(input => input.Name)];
        _outputs = [.. graph.Outputs.Select(output => output.Name)];
    }

    public TensorProto? Initializer(string name) => _initializers.GetValueOrDefault(name);

    public NodeProto? Producer(string tensor) => _producers.GetValueOrDefault(tensor);

    public IReadOnlyList<NodeProto> Readers(string tensor) => _readers.TryGetValue(tensor, out List<NodeProto>? readers) ? readers : [];

    public bool IsInput(string tensor) => _inputs.Contains(tensor);

    public bool IsOutput(string tensor) => _outputs.Contains(tensor);
}
