namespace Dovetail.Onnx.Model;

/// <summary>
/// Who makes and who reads each tensor of a graph, kept right while a pass edits it through this object, so that a look-up does not search
/// the graph. Names are given here too.
/// </summary>
internal sealed class GraphIndex
{
    private readonly Dictionary<string, NodeProto> _producers = [];
    private readonly Dictionary<string, List<NodeProto>> _readers = [];
    private readonly HashSet<string> _outputs, _names;

    public GraphIndex(OnnxModel model)
    {
        Model = model;
        _outputs = [.. model.Graph.Outputs.Select(output => output.Name)];
        _names = model.Names();
        foreach (NodeProto node in model.Nodes)
            Enter(node);
    }

    public OnnxModel Model { get; }

    /// <summary>The node that makes a tensor; null for an input or an initializer.</summary>
    public NodeProto? Producer(string tensor) => _producers.GetValueOrDefault(tensor);

    /// <summary>The nodes that read a tensor, once each; a graph in a node reads for the node.</summary>
    public IReadOnlyList<NodeProto> Readers(string tensor) => _readers.TryGetValue(tensor, out List<NodeProto>? readers) ? readers : [];

    public bool IsOutput(string tensor) => _outputs.Contains(tensor);

    /// <summary>The only reader of a tensor that is not a graph output, where it reads it once; null otherwise.</summary>
    public NodeProto? OnlyReader(string tensor) =>
        IsOutput(tensor) || Readers(tensor) is not [var only] || only.Inputs.Count(input => input == tensor) != 1 ? null : only;

    /// <summary>A name that nothing has: the wanted one, or it with a number. It is taken from then on.</summary>
    public string UniqueName(string wanted)
    {
        string name = wanted;
        for (int i = 1; !_names.Add(name); i++)
            name = $"{wanted}_{i}";
        return name;
    }

    public TensorProto AddInitializer(TensorProto tensor) => Model.AddInitializer(tensor);

    public void SetInput(NodeProto node, int index, string tensor)
    {
        string before = node.Inputs[index];
        node.Inputs[index] = tensor;
        if (before.Length > 0 && !Subgraphs.Reads(node, before) && _readers.TryGetValue(before, out List<NodeProto>? readers))
            readers.Remove(node);
        Read(node, tensor);
    }

    public void SetOutput(NodeProto node, int index, string tensor)
    {
        _producers.Remove(node.Outputs[index]);
        node.Outputs[index] = tensor;
        _producers[tensor] = node;
    }

    public void InsertBefore(NodeProto place, NodeProto node) => Insert(Model.Nodes.IndexOf(place), node);

    public void InsertAfter(NodeProto place, NodeProto node) => Insert(Model.Nodes.IndexOf(place) + 1, node);

    public void Remove(NodeProto node)
    {
        Model.Nodes.Remove(node);
        foreach (string output in node.Outputs)
            _producers.Remove(output);
        foreach (string input in Subgraphs.Reads(node))
            _readers[input].Remove(node);
    }

    /// <summary>Removes a node with one result that nothing reads.</summary>
    public void RemoveIfDead(NodeProto node)
    {
        if (Readers(node.Outputs[0]).Count == 0 && !IsOutput(node.Outputs[0]) && Producer(node.Outputs[0]) == node)
            Remove(node);
    }

    /// <summary>Makes every reader of a tensor read another one; graph outputs keep their names.</summary>
    public void ReplaceUses(string tensor, string replacement)
    {
        foreach (NodeProto node in Readers(tensor).ToList())
        {
            Subgraphs.ReplaceReads(node, tensor, replacement);
            Read(node, replacement);
        }

        _readers.Remove(tensor);
    }

    private void Insert(int at, NodeProto node)
    {
        Model.Nodes.Insert(at, node);
        Enter(node);
    }

    private void Enter(NodeProto node)
    {
        foreach (string output in node.Outputs.Where(output => output.Length > 0))
            _producers[output] = node;
        foreach (string input in Subgraphs.Reads(node).Distinct())
            if (_readers.TryGetValue(input, out List<NodeProto>? readers))
                readers.Add(node);
            else
                _readers[input] = [node];
    }

    private void Read(NodeProto node, string tensor)
    {
        if (!_readers.TryGetValue(tensor, out List<NodeProto>? readers))
            _readers[tensor] = readers = [];
        if (!readers.Contains(node))
            readers.Add(node);
    }
}
