using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>
/// An ONNX model in memory: its protobuf message and the look-ups that passes over a graph need.
/// The look-ups read the live graph, so they stay right while a pass edits it.
/// </summary>
public sealed class OnnxModel
{
    /// <exception cref="OnnxException">The message has no graph.</exception>
    public OnnxModel(ModelProto proto)
    {
        ArgumentNullException.ThrowIfNull(proto);
        Proto = proto;
        Graph = proto.Graph ?? throw new OnnxException("The model has no graph; expected an ONNX model with one.");
    }

    internal ModelProto Proto { get; }

    /// <summary>
    /// Where this is a graph inside a node (a branch, a loop's body): the model around it, whose constants it reads and whose
    /// operator sets and metadata are its own.
    /// </summary>
    internal OnnxModel? Outer { get; private init; }

    public GraphProto Graph { get; }

    /// <summary>The version of the file format that the model states.</summary>
    public long IrVersion => Root.Proto.IrVersion;

    // Only while the graph is frozen.
    private GraphLookup? _lookup;

    /// <summary>Look-ups find by dictionaries instead of searching, until the result is disposed of; meanwhile nothing may edit the graph's
    /// nodes, initializers, inputs and outputs.</summary>
    internal Frozen Freeze()
    {
        if (_lookup is not null)
            return default;
        _lookup = new GraphLookup(Graph);
        return new Frozen(this);
    }

    /// <summary>Ends <see cref="Freeze"/> where it began.</summary>
    internal readonly struct Frozen(OnnxModel model) : IDisposable
    {
        public void Dispose()
        {
            if (model is not null) // of a graph that was frozen before
                model._lookup = null;
        }
    }

    public List<NodeProto> Nodes => Graph.Nodes;

    private OnnxModel Root => Outer?.Root ?? this;

    /// <summary>The graph's inputs that are not initializers: what a caller feeds.</summary>
    public IReadOnlyList<ValueInfoProto> Inputs => [.. Graph.Inputs.Where(i => FindInitializer(i.Name) is null)];

    public IReadOnlyList<ValueInfoProto> Outputs => Graph.Outputs;

    /// <summary>Reads a model, external data included (only from files below the model's own folder).</summary>
    /// <exception cref="OnnxException">The file cannot be read, is not ONNX, or is damaged.</exception>
    public static OnnxModel Load(string path) => OnnxFile.Load(path);

    /// <summary>Reads a model from its bytes. <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="OnnxException">The bytes are not ONNX, or damaged.</exception>
    public static OnnxModel Parse(ReadOnlyMemory<byte> bytes, string source = "The model") => OnnxFile.Parse(bytes, source);

    /// <summary>
    /// Writes the model under a temporary name and renames it. Where it takes more than the threshold,
    /// the tensors' data go into one file beside it, <c>NAME.data</c>, as ONNX wants of files over 2 GB.
    /// </summary>
    /// <returns>Bytes written, those of the file beside it included.</returns>
    public long Save(string path, long externalDataThresholdBytes = OnnxFile.LargestMessageBytes) =>
        OnnxFile.Save(this, path, externalDataThresholdBytes);

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        Serializer.Serialize(stream, Proto);
        return stream.ToArray();
    }

    /// <summary>Bytes of the file that the model was read from, with the files that hold its external data; null for one made in
    /// memory.</summary>
    public long? SourceBytes { get; internal set; }

    /// <summary>Bytes of the model as a file.</summary>
    public long ByteCount
    {
        get
        {
            using MeasureState<ModelProto> measured = Serializer.Measure(Proto);
            return measured.LengthOnly();
        }
    }

    /// <summary>A deep copy.</summary>
    public OnnxModel Clone() => new(Serializer.DeepClone(Proto)) { Outer = Outer };

    /// <summary>A graph of one of the nodes, as a model: what is done to it is done to this one.</summary>
    internal OnnxModel Body(GraphProto graph) => new(new ModelProto { IrVersion = Proto.IrVersion, Graph = graph }) { Outer = this };

    /// <summary>This graph and all graphs inside its nodes, each before those inside it.</summary>
    internal IEnumerable<OnnxModel> WithBodies() =>
        Nodes.SelectMany(Subgraphs.Of).SelectMany(entry => Body(entry.Graph).WithBodies()).Prepend(this);

    /// <summary>A copy with nodes of its own, but the same initializers: for passes that replace tensors and do not write into
    /// them.</summary>
    public OnnxModel CloneSharingTensors()
    {
        TensorProto[] tensors = [.. Graph.Initializers];
        Graph.Initializers.Clear();
        try
        {
            OnnxModel copy = Clone();
            copy.Graph.Initializers.AddRange(tensors);
            return copy;
        }
        finally
        {
            Graph.Initializers.AddRange(tensors);
        }
    }

    /// <summary>The initializer of this name, of this graph or of one around it; a name that the graph itself makes is the graph's
    /// own, whatever stands around.</summary>
    public TensorProto? FindInitializer(string name) =>
        (_lookup is { } lookup ? lookup.Initializer(name) : Graph.Initializers.Find(t => t.Name == name))
        ?? (Outer is null || Hides(name) ? null : Outer.FindInitializer(name));

    private bool Hides(string name) => IsInput(name) || FindProducer(name) is not null;

    /// <summary>True where a tensor is this graph's own, whatever stands around it.</summary>
    internal bool Makes(string tensor) => Owns(tensor) || Hides(tensor);

    private bool IsInput(string name) => _lookup?.IsInput(name) ?? Graph.Inputs.Exists(input => input.Name == name);

    /// <summary>True for an initializer of this graph, not of one around it.</summary>
    internal bool Owns(string initializer) =>
        _lookup is { } lookup ? lookup.Initializer(initializer) is not null : Graph.Initializers.Exists(t => t.Name == initializer);

    /// <summary>The value of a tensor that is known before running: an initializer or a Constant node's.</summary>
    public TensorProto? FindConstant(string name) =>
        FindInitializer(name) ?? (FindProducer(name) is { } node
            ? node.Is("Constant") ? node.FindTensor("value") : null
            : IsInput(name) ? null : Outer?.FindConstant(name));

    /// <exception cref="OnnxException">There is no such constant.</exception>
    public TensorProto Constant(string name, NodeProto reader) =>
        FindConstant(name) ?? throw new UndeterminedException(
            $"{reader} reads '{name}', which must be a constant (an initializer) here and is computed at run time.");

    /// <summary>The node that makes a tensor; null for an input or an initializer.</summary>
    public NodeProto? FindProducer(string tensor) =>
        _lookup is { } lookup ? lookup.Producer(tensor) : Nodes.Find(n => n.Outputs.Contains(tensor));

    /// <summary>The nodes that read a tensor, once each; a graph in a node reads for the node.</summary>
    public IReadOnlyList<NodeProto> Consumers(string tensor) =>
        _lookup is { } lookup ? lookup.Readers(tensor) : [.. Nodes.Where(n => Subgraphs.Reads(n, tensor))];

    /// <summary>The only reader of a tensor that is not a graph output; null otherwise.</summary>
    internal NodeProto? SingleConsumer(string tensor) =>
        IsOutput(tensor) || Consumers(tensor) is not [var only] || only.Inputs.Count(i => i == tensor) != 1 ? null : only;

    public bool IsOutput(string tensor) => _lookup?.IsOutput(tensor) ?? Graph.Outputs.Exists(o => o.Name == tensor);

    /// <summary>A node of this graph or of one inside its nodes, and the graph that holds it; null where there is none.</summary>
    public (OnnxModel Graph, NodeProto Node)? FindNodeWithin(string name)
    {
        foreach (OnnxModel graph in WithBodies())
            if (graph.FindNode(name) is { } node)
                return (graph, node);
        return null;
    }

    public NodeProto? FindNode(string name) => Nodes.Find(n => n.Name == name);

    /// <summary>The version of an operator domain; 0 where it is not imported.</summary>
    public long OpsetVersion(string domain = "") =>
        Outer is not null ? Outer.OpsetVersion(domain) : FindImport(domain)?.Version ?? 0;

    private OperatorSetIdProto? FindImport(string domain) =>
        Proto.OpsetImports.Find(o => o.Domain == domain || (domain.Length == 0 && o.Domain == "ai.onnx"));

    public void SetOpsetVersion(string domain, long version)
    {
        if (Outer is not null)
            Outer.SetOpsetVersion(domain, version);
        else if (FindImport(domain) is { } import)
            import.Version = version;
        else
            Proto.OpsetImports.Add(new OperatorSetIdProto { Domain = domain, Version = version });
    }

    /// <summary>A value of the model's metadata_props; null where the key is absent.</summary>
    public string? FindMetadata(string key) => Root.Proto.MetadataProps.Find(p => p.Key == key)?.Value;

    internal void RemoveMetadata(string key) => Root.Proto.MetadataProps.RemoveAll(p => p.Key == key);

    internal void SetMetadata(string key, string value)
    {
        RemoveMetadata(key);
        Root.Proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
    }

    public TensorProto AddInitializer(TensorProto tensor)
    {
        Graph.Initializers.Add(tensor);
        return tensor;
    }

    /// <summary>A name that no node and no tensor of the graph has: the wanted one, or it with a number.</summary>
    internal string UniqueName(string wanted)
    {
        if (!Subgraphs.HasName(Graph, wanted) && (Root.Graph == Graph || !Subgraphs.HasName(Root.Graph, wanted)))
            return wanted;
        HashSet<string> taken = Names();
        string name = wanted;
        for (int i = 1; taken.Contains(name); i++)
            name = $"{wanted}_{i}";
        return name;
    }

    /// <summary>All names of nodes and tensors of the model, the graphs inside and around this one included.</summary>
    internal HashSet<string> Names() => [.. Subgraphs.Names(Graph), .. Root.Graph == Graph ? [] : Subgraphs.Names(Root.Graph)];

    /// <summary>Gives every node without a name, or with one that is taken, a unique one made from its operator.</summary>
    /// <remarks>A layer inside a node's graph gets its path as its name: "If_0/then_branch/Conv_3".</remarks>
    public void NameNodes()
    {
        var seen = new HashSet<string>();
        foreach (NodeProto node in Nodes)
        {
            if (node.Name.Length == 0 || !seen.Add(node.Name))
            {
                node.Name = UniqueName(node.Name.Length > 0 ? node.Name : node.OpType.ToLowerInvariant());
                seen.Add(node.Name);
            }

            foreach ((string attribute, GraphProto graph) in Subgraphs.Of(node))
                NameBodyNodes(graph, $"{node.Name}/{attribute}/", seen);
        }
    }

    private static void NameBodyNodes(GraphProto graph, string path, HashSet<string> seen)
    {
        foreach (NodeProto node in graph.Nodes.Where(node => IsNamedByPath(node) || Subgraphs.Of(node).Any()))
        {
            string own = node.Name.Length > 0 ? node.Name : node.OpType.ToLowerInvariant();
            string wanted = own.StartsWith(path, StringComparison.Ordinal) ? own : path + own;
            node.Name = wanted;
            for (int i = 1; !seen.Add(node.Name); i++)
                node.Name = $"{wanted}_{i}";
            foreach ((string attribute, GraphProto inner) in Subgraphs.Of(node))
                NameBodyNodes(inner, $"{node.Name}/{attribute}/", seen);
        }

        static bool IsNamedByPath(NodeProto node) =>
            node.Domain == Core.Operators.OperatorSet.Domain
            || LayerOperators.Contains(node);
    }

    /// <summary>Drops initializers that nothing reads.</summary>
    public void RemoveUnusedInitializers()
    {
        var used = new HashSet<string>(Nodes.SelectMany(Subgraphs.Reads));
        used.UnionWith(Graph.Outputs.Select(o => o.Name));
        if (Outer is null) // the inputs of a body are counted by its node
            Graph.Inputs.RemoveAll(i => Owns(i.Name) && !used.Contains(i.Name));
        Graph.Initializers.RemoveAll(t => !used.Contains(t.Name));
    }

    /// <summary>Drops nodes whose results nothing reads, then initializers.</summary>
    internal void RemoveDeadNodes()
    {
        var live = new HashSet<string>(Graph.Outputs.Select(o => o.Name));
        for (int i = Nodes.Count - 1; i >= 0; i--)
        {
            if (Nodes[i].Outputs.Exists(live.Contains))
                live.UnionWith(Subgraphs.Reads(Nodes[i]));
            else
                Nodes.RemoveAt(i);
        }

        RemoveUnusedInitializers();
    }

    /// <summary>Makes every reader of a tensor read another one; graph outputs keep their names.</summary>
    internal void ReplaceUses(string tensor, string replacement)
    {
        foreach (NodeProto node in Nodes)
            Subgraphs.ReplaceReads(node, tensor, replacement);
    }

    /// <summary>Checks that each tensor is made once, before it is read, and that every graph output is made.</summary>
    /// <exception cref="OnnxException">Names the node and the tensor at fault.</exception>
    public void CheckGraph()
    {
        var known = new HashSet<string>(Graph.Inputs.Select(i => i.Name));
        known.UnionWith(Graph.Initializers.Select(t => t.Name));
        foreach (NodeProto node in Nodes)
        {
            foreach (string input in Subgraphs.Reads(node))
                if (!known.Contains(input) && !IsOutside(input))
                    throw new OnnxException(
                        $"{node} reads '{input}', which " +
                        (FindProducer(input) is { } later
                            ? $"{later} makes only later; nodes must stand in topological order."
                            : "nothing makes: it is no input, no initializer and no node's output."));
            foreach (string output in node.Outputs)
                if (output.Length > 0 && !known.Add(output))
                    throw new OnnxException($"{node} makes '{output}', which exists already; every tensor must be made once.");
        }

        foreach (ValueInfoProto output in Graph.Outputs)
            if (!known.Contains(output.Name) && !IsOutside(output.Name))
                throw new OnnxException($"The graph's output '{output.Name}' is made by no node.");
    }

    /// <summary>What a graph around this one makes: it may be read here, and hidden by what this graph makes.</summary>
    private bool IsOutside(string tensor)
    {
        for (OnnxModel? around = Outer; around is not null; around = around.Outer)
            if (around.Makes(tensor))
                return true;
        return false;
    }
}
