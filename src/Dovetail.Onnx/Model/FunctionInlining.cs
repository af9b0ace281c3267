using ProtoBuf;

namespace Dovetail.Onnx.Model;

/// <summary>
/// Calls of the model's own functions become the functions' nodes, where these hold layers: so the layers can be seen, pruned and packed.
/// 1. A function is put in the place of its call if, by itself or by what it calls, it has a Conv, Gemm, MatMul or a recurrent layer,
///    and its operator sets are the model's. Other functions, and calls that do not fit them, stay as they are.
/// 2. Names become unique by the call's name before them: "call/conv". The attributes that refer to the call's take its values.
/// 3. Constants of a function become initializers that all its calls share.
/// 4. Functions that nothing calls any more go.
/// </summary>
internal sealed class FunctionInlining
{
    private const int DeepestCall = 32, MostNodes = 100_000;

    private readonly ModelProto _model;
    private readonly HashSet<FunctionProto> _inlined = [];
    private readonly Dictionary<(FunctionProto Function, string Output), string> _constants = [];
    private readonly Dictionary<(string Name, string Domain, string Overload), FunctionProto> _functions = [];
    private readonly HashSet<FunctionProto> _holdsLayers;
    private readonly HashSet<string> _names;
    private int _inserted;

    private FunctionInlining(ModelProto model)
    {
        _model = model;
        _names = [.. Subgraphs.Names(model.Graph!)];
        foreach (FunctionProto function in model.Functions)
            _functions.TryAdd((function.Name, function.Domain, function.Overload), function);
        _holdsLayers = WithLayers();
    }

    public static void Apply(ModelProto model)
    {
        if (model.Functions.Count == 0)
            return;
        var pass = new FunctionInlining(model);
        pass.Inline(model.Graph!, 0);
        HashSet<FunctionProto> called = pass.Called(model.Graph!.Nodes);
        model.Functions.RemoveAll(function => pass._inlined.Contains(function) && !called.Contains(function));
    }

    private void Inline(GraphProto graph, int depth)
    {
        List<NodeProto> nodes = [];
        foreach (NodeProto node in graph.Nodes)
            Expand(node, depth, nodes);
        graph.Nodes.Clear();
        graph.Nodes.AddRange(nodes);
    }

    private void Expand(NodeProto call, int depth, List<NodeProto> into)
    {
        foreach ((_, GraphProto inner) in Subgraphs.Of(call))
            Inline(inner, depth);
        if (depth >= DeepestCall || _inserted >= MostNodes || Find(call) is not { } function || !HoldsLayers(function)
            || !Fits(function, call))
        {
            into.Add(call);
            return;
        }

        _inlined.Add(function);
        List<NodeProto> body = Body(function, call);
        _inserted += body.Count;
        foreach (NodeProto node in body)
            Expand(node, depth + 1, into);
    }

    private FunctionProto? Find(NodeProto node) => _functions.GetValueOrDefault((node.OpType, node.Domain, node.Overload));

    private bool HoldsLayers(FunctionProto function) => _holdsLayers.Contains(function);

    /// <summary>The functions with layers, of their own or of what they call.</summary>
    private HashSet<FunctionProto> WithLayers()
    {
        List<(FunctionProto Caller, FunctionProto Called)> calls = [.. _model.Functions.SelectMany(
            function => AllNodes(function.Nodes).Select(Find).OfType<FunctionProto>().Distinct().Select(called => (function, called)))];
        ILookup<FunctionProto, FunctionProto> callers = calls.ToLookup(call => call.Called, call => call.Caller);
        var found = new HashSet<FunctionProto>();
        var next = new Stack<FunctionProto>(
            _model.Functions.Where(function => AllNodes(function.Nodes).Any(LayerOperators.Contains)));
        while (next.TryPop(out FunctionProto? function))
            if (found.Add(function))
                foreach (FunctionProto caller in callers[function])
                    next.Push(caller);
        return found;
    }

    private static IEnumerable<NodeProto> AllNodes(IEnumerable<NodeProto> nodes) =>
        nodes.SelectMany(node => Subgraphs.Of(node).SelectMany(entry => AllNodes(entry.Graph.Nodes)).Prepend(node));

    private bool Fits(FunctionProto function, NodeProto call) =>
        call.Inputs.Count <= function.Inputs.Count && call.Outputs.Count <= function.Outputs.Count
        && function.OpsetImports.TrueForAll(set => _model.OpsetImports.Find(own => Domain(own) == Domain(set)) is not { } own
            || own.Version == set.Version);

    /// <summary>Why a call of a function with layers stayed a call; null where the node is no such call.</summary>
    public static Func<NodeProto, string?> ReasonAgainst(ModelProto model)
    {
        if (model.Functions.Count == 0)
            return _ => null;
        var pass = new FunctionInlining(model);
        return node => pass.Find(node) is not { } function || !pass.HoldsLayers(function) ? null
            : pass.Fits(function, node) ? "its function is called from too many places, or calls itself"
            : "it calls a function whose operator sets are others than the model's, so its layers are not looked at";
    }

    private static string Domain(OperatorSetIdProto set) => set.Domain is "ai.onnx" ? "" : set.Domain;

    private List<NodeProto> Body(FunctionProto function, NodeProto call)
    {
        foreach (OperatorSetIdProto set in function.OpsetImports.Where(
            set => !_model.OpsetImports.Exists(own => Domain(own) == Domain(set))))
            _model.OpsetImports.Add(new OperatorSetIdProto { Domain = set.Domain, Version = set.Version });
        string name = call.Name.Length > 0 ? call.Name : call.OpType.ToLowerInvariant();
        var renamed = new Dictionary<string, string> { [""] = "" };
        foreach ((int index, string input) in function.Inputs.Index())
            renamed[input] = call.Input(index);
        foreach ((int index, string output) in function.Outputs.Index())
            if (index < call.Outputs.Count && call.Outputs[index].Length > 0)
                renamed[output] = call.Outputs[index];
        List<NodeProto> nodes = [];
        foreach (NodeProto original in function.Nodes)
        {
            NodeProto node = Serializer.DeepClone(original);
            Rename(node, name, renamed);
            FillAttributes(node, function, call);
            if (node.Is("Constant") && node.FindTensor("value") is { } value && !call.Outputs.Contains(node.Output()))
                renamed[node.Output()] = Share(function, original.Output(), value);
            else
                nodes.Add(node);
        }

        foreach (NodeProto node in nodes) // constants stand before their readers, but their shared names are known only now
            foreach ((string from, string to) in renamed)
                if (from != to && from.Length > 0 && from.StartsWith(name + "/", StringComparison.Ordinal))
                    Subgraphs.ReplaceReads(node, from, to);
        return nodes;
    }

    private string Share(FunctionProto function, string constant, TensorProto value)
    {
        if (_constants.TryGetValue((function, constant), out string? shared))
            return shared;
        TensorProto tensor = Serializer.DeepClone(value);
        tensor.Name = Unique($"{function.Name}/{constant}");
        _model.Graph!.Initializers.Add(tensor);
        return _constants[(function, constant)] = tensor.Name;
    }

    /// <summary>Gives the tensors of a node, and of the graphs in it, their names outside.</summary>
    private void Rename(NodeProto node, string call, Dictionary<string, string> renamed)
    {
        node.Name = Unique($"{call}/{(node.Name.Length > 0 ? node.Name : node.OpType.ToLowerInvariant())}");
        for (int i = 0; i < node.Inputs.Count; i++)
            node.Inputs[i] = renamed.GetValueOrDefault(node.Inputs[i], node.Inputs[i]);
        foreach ((_, GraphProto graph) in Subgraphs.Of(node))
        {
            foreach (TensorProto tensor in graph.Initializers)
                tensor.Name = Local(tensor.Name);
            foreach (ValueInfoProto input in graph.Inputs)
                input.Name = Local(input.Name);
            foreach (NodeProto inner in graph.Nodes)
                Rename(inner, call, renamed);
            foreach (ValueInfoProto output in graph.Outputs)
                output.Name = renamed.GetValueOrDefault(output.Name, output.Name);
            graph.ValueInfos.Clear();
        }

        for (int i = 0; i < node.Outputs.Count; i++)
            node.Outputs[i] = Local(node.Outputs[i]);

        string Local(string tensor) => renamed.TryGetValue(tensor, out string? known) ? known
            : renamed[tensor] = Unique($"{call}/{tensor}");
    }

    private static void FillAttributes(NodeProto node, FunctionProto function, NodeProto call)
    {
        for (int i = node.Attributes.Count - 1; i >= 0; i--)
        {
            AttributeProto attribute = node.Attributes[i];
            if (attribute.RefName.Length > 0)
            {
                AttributeProto? given = call.FindAttribute(attribute.RefName)
                    ?? function.Defaults.Find(value => value.Name == attribute.RefName);
                if (given is null)
                {
                    node.Attributes.RemoveAt(i); // left out: the operator's own default
                    continue;
                }

                AttributeProto copy = Serializer.DeepClone(given);
                copy.Name = attribute.Name;
                node.Attributes[i] = copy;
            }
        }

        foreach ((_, GraphProto graph) in Subgraphs.Of(node))
            foreach (NodeProto inner in graph.Nodes)
                FillAttributes(inner, function, call);
    }

    /// <summary>The functions that nodes call, by others too.</summary>
    private HashSet<FunctionProto> Called(IEnumerable<NodeProto> nodes)
    {
        var called = new HashSet<FunctionProto>();
        var next = new Stack<FunctionProto>(AllNodes(nodes).Select(Find).OfType<FunctionProto>());
        while (next.TryPop(out FunctionProto? function))
            if (called.Add(function))
                foreach (FunctionProto inner in AllNodes(function.Nodes).Select(Find).OfType<FunctionProto>())
                    next.Push(inner);
        return called;
    }

    private string Unique(string wanted)
    {
        string name = wanted;
        for (int i = 1; !_names.Add(name); i++)
            name = $"{wanted}_{i}";
        return name;
    }
}
