using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Shapes;

/// <summary>
/// Element types and shapes of all tensors of a graph, in one walk over its nodes by the rules of <see cref="OnnxOperators"/>.
/// A batch that is a symbol stays one. Types and shapes are computed from the inputs; value_info in the file counts only where no rule
/// says more. What is not known (an operator without a rule, sizes that only a run gives) is <see cref="TensorInfo.Unknown"/> and costs
/// nothing but what would follow from it.
/// </summary>
public static class ShapeInference
{
    /// <param name="model">The graph, in topological order.</param>
    /// <param name="batch">Replaces a first dimension of an input that is not a number; null leaves it.</param>
    /// <returns>By tensor name, inputs and initializers included; every tensor is there, also "", an input that is left out.</returns>
    /// <exception cref="OnnxException">Shapes contradict each other.</exception>
    public static IReadOnlyDictionary<string, TensorInfo> Infer(OnnxModel model, int? batch = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Walk(model, batch, everyBody: false, []).Shapes;
    }

    /// <summary>The same for a graph and all graphs inside its nodes.</summary>
    internal static IReadOnlyDictionary<GraphProto, IReadOnlyDictionary<string, TensorInfo>> InferWithBodies(OnnxModel model, int? batch)
    {
        Dictionary<GraphProto, GraphShapes> graphs = [];
        Walk(model, batch, everyBody: true, graphs);
        return graphs.ToDictionary(
            entry => entry.Key, entry => (IReadOnlyDictionary<string, TensorInfo>)entry.Value.Shapes);
    }

    /// <param name="everyBody">False: only the branches of an If, whose results' shapes are those of one of them.</param>
    private static GraphShapes Walk(OnnxModel model, int? batch, bool everyBody, Dictionary<GraphProto, GraphShapes> graphs)
    {
        if (model.Outer is null)
            return Walk(model, null, batch, everyBody, graphs);
        return Walk(model, Walk(model.Outer, batch, everyBody: false, []), batch, everyBody, graphs);
    }

    private static GraphShapes Walk(
        OnnxModel model, GraphShapes? outer, int? batch, bool everyBody, Dictionary<GraphProto, GraphShapes> graphs)
    {
        model.CheckGraph();
        using OnnxModel.Frozen frozen = model.Freeze();
        Dictionary<string, TensorInfo> known = [];
        if (outer is not null) // of what stands around, only what is read here; what is made there only later is no value
            foreach (string name in Subgraphs.Captures(model.Graph))
                known[name] = outer.Shapes.GetValueOrDefault(name, TensorInfo.Unknown);
        known[""] = TensorInfo.Unknown;
        var values = new ShapeValues(model, outer?.Values);
        foreach (TensorProto tensor in model.Graph.Initializers)
            known[tensor.Name] = new TensorInfo(tensor.DataType, [.. tensor.Dims.Select(d => (Dim)d)]);
        foreach (ValueInfoProto input in model.Graph.Inputs)
            if (!model.Owns(input.Name))
                known[input.Name] = InputInfo(input, batch);
        Dictionary<string, ValueInfoProto> said = [];
        foreach (ValueInfoProto value in model.Graph.ValueInfos.Concat(model.Graph.Outputs))
            said.TryAdd(value.Name, value);
        var shapes = graphs[model.Graph] = new GraphShapes(known, values);
        foreach (NodeProto node in model.Nodes)
        {
            Constrain(model, node, known);
            if (Read(model, node) is { } op)
                Apply(op, known, values, isBody: outer is not null);
            foreach ((string attribute, GraphProto body) in Subgraphs.Of(node))
                if (everyBody || node.Is("If"))
                    Walk(model.Body(body), shapes, batch, everyBody, graphs);
            if (node.Is("If"))
                TakeBranch(node, shapes, graphs, said);
            if (!everyBody)
                foreach ((_, GraphProto body) in Subgraphs.Of(node))
                    graphs.Remove(body);
            foreach (string output in node.Outputs)
                known.TryAdd(output, Said(said, output));
        }

        return shapes;
    }

    /// <summary>The results of an If are those of the branch that runs, where its condition is known, or what both agree on.</summary>
    private static void TakeBranch(
        NodeProto node, GraphShapes shapes, Dictionary<GraphProto, GraphShapes> graphs, IReadOnlyDictionary<string, ValueInfoProto> said)
    {
        if (node.FindAttribute("then_branch")?.G is not { } yes || node.FindAttribute("else_branch")?.G is not { } no
            || yes.Outputs.Count != node.Outputs.Count || no.Outputs.Count != node.Outputs.Count)
            return;
        long? condition = shapes.Values.Find(node.Input(0)) is [{ Value: var value }] ? value : null;
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i].Length == 0)
                continue;
            TensorInfo then = graphs[yes].Shapes[yes.Outputs[i].Name], otherwise = graphs[no].Shapes[no.Outputs[i].Name];
            if (condition is not null && (condition != 0 ? then : otherwise) is { HasShape: true } chosen)
                shapes.Shapes[node.Outputs[i]] = chosen;
            else if (Said(said, node.Outputs[i]) is { HasShape: true } own)
                shapes.Shapes[node.Outputs[i]] = own;
            else if (then.HasShape && otherwise.HasShape && then.Rank == otherwise.Rank)
                shapes.Shapes[node.Outputs[i]] = new TensorInfo(
                    then.Type, [.. then.Shape.Zip(otherwise.Shape, (a, b) => a == b ? a : Dim.Unknown)]);
        }
    }

    private static void Apply(OperatorNode op, Dictionary<string, TensorInfo> known, ShapeValues values, bool isBody)
    {
        var context = new ShapeContext(op, known, values.Find);
        NodeProto node = op.Node;
        try
        {
            foreach ((string output, TensorInfo info) in node.Outputs.Zip(op.Operator.Shape!(context)))
            {
                if (info.Shape.Any(d => d.Value < 0))
                    throw new OnnxException($"{node}: its output '{output}' would be {info}.");
                if (output.Length > 0)
                    known[output] = info;
            }

            if (op.Operator.Values?.Invoke(context) is { } elements)
                values.Note(node.Outputs[0], elements);
        }
        catch (UndeterminedException)
        {
            // a value or a shape that only a run gives: what the rule did not say stays unknown
        }
        catch (OnnxException) when (isBody)
        {
            // of a branch that no run takes, perhaps: exporters write "Squeeze if the size is 1, else nothing"
        }
    }

    /// <summary>What a layer demands of an input that is not known: its rank and channels.</summary>
    private static void Constrain(OnnxModel model, NodeProto node, Dictionary<string, TensorInfo> known)
    {
        if (known.GetValueOrDefault(node.Input(0)) is not { HasShape: false } || node.Input(0).Length == 0
            || model.FindConstant(node.Input(1)) is not { } weights)
            return;
        IReadOnlyList<long> dims = weights.Dims;
        if (node.Is("Conv") && dims.Count >= 3)
            known[node.Inputs[0]] = new TensorInfo(
                weights.DataType,
                [Dim.Unknown, dims[1] * node.GetInt("group", 1), .. Enumerable.Repeat(Dim.Unknown, dims.Count - 2)]);
        else if (node.Is("Gemm") && dims.Count == 2)
            known[node.Inputs[0]] = new TensorInfo(
                weights.DataType, node.GetInt("transA", 0) != 0 ? [Depth(), Dim.Unknown] : [Dim.Unknown, Depth()]);

        Dim Depth() => dims[node.GetInt("transB", 0) != 0 ? 1 : 0];
    }

    /// <summary>What the file itself says of a tensor.</summary>
    private static TensorInfo Said(IReadOnlyDictionary<string, ValueInfoProto> values, string tensor) =>
        values.GetValueOrDefault(tensor) is { Type.Tensor: { Shape: not null } type } said && type.ElementType != OnnxType.Undefined
            ? InputInfo(said, null)
            : TensorInfo.Unknown;

    /// <summary>Null for an operator, or a version of it, without a rule.</summary>
    private static OperatorNode? Read(OnnxModel model, NodeProto node)
    {
        if (OnnxOperators.FindAnyVersion(node) is not { Shape: not null } row)
            return null;
        var op = new OperatorNode(model, node, row);
        if (op.Version < row.ShapeFrom || op.Version == 0)
            return null;
        if (!node.Outputs.Exists(output => output.Length > 0))
            throw new OnnxException($"{node} has no output.");
        if (!Enumerable.Range(0, row.RequiredInputs).All(node.HasInput))
            throw new OnnxException($"{node} has the inputs [{string.Join(", ", node.Inputs)}], and its first {row.RequiredInputs} are "
                + "required.");
        return op;
    }

    private static TensorInfo InputInfo(ValueInfoProto input, int? batch)
    {
        if (input.Type?.Tensor is not { Shape: not null } type)
            return TensorInfo.Unknown;
        // A dimension that the file leaves open gets a symbol of its own, so that equal sizes can be told.
        Dim[] shape = [
            .. type.Shape.Dims.Select(
                (d, i) => d.Value > 0
                ? new Dim(d.Value)
                : new Dim(null, d.Symbol is { Length: > 0 } symbol ? symbol : $"{input.Name}_{i}"))];
        if (batch is { } size && shape.Length > 0 && !shape[0].IsKnown)
            shape[0] = size;
        return new TensorInfo(type.ElementType, shape);
    }

    /// <summary>What is known of the tensors of a graph.</summary>
    private sealed record GraphShapes(Dictionary<string, TensorInfo> Shapes, ShapeValues Values);
}
