using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Shapes;

/// <summary>
/// Element types and shapes of all tensors of a graph, in one walk over its nodes by the rules of <see cref="OnnxOperators"/>.
/// A batch that is a symbol stays one. Types and shapes are computed from the inputs; value_info in the file is not trusted.
/// </summary>
public static class ShapeInference
{
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
            OperatorNode op = Read(model, node);
            var context = new ShapeContext(op, known, values.Find);
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

        return known;
    }

    private static OperatorNode Read(OnnxModel model, NodeProto node)
    {
        if (OnnxOperators.FindAnyVersion(node) is not { Shape: not null } row)
        {
            IEnumerable<OnnxOperator> supported = OnnxOperators.All.Where(r => r.Shape is not null);
            string name = node.Domain is "" or "ai.onnx" ? node.OpType : $"{node.Domain}.{node.OpType}";
            throw new OnnxException($"{node}: operator '{name}' is not supported here, expected one of: {string.Join(", ", supported)}.");
        }

        var op = new OperatorNode(model, node, row);
        if (op.Version < row.ShapeFrom || op.Version == 0)
            throw new OnnxException($"{node}: operator '{row}' "
                + $"{OnnxOperators.ReasonOfVersion(row, row.ShapeFrom, OperatorNode.OpsetOf(model, node))}.");
        if (!node.Outputs.Exists(output => output.Length > 0))
            throw new OnnxException($"{node} has no output.");
        if (!Enumerable.Range(0, row.RequiredInputs).All(node.HasInput))
            throw new OnnxException($"{node} has the inputs [{string.Join(", ", node.Inputs)}], and its first {row.RequiredInputs} are "
                + "required.");
        return op;
    }

    private static TensorInfo InputInfo(ValueInfoProto input, int? batch)
    {
        TensorTypeProto type = input.Type?.Tensor ?? throw new OnnxException($"Input '{input.Name}' has no tensor type; expected one.");
        if (type.Shape is null)
            throw new OnnxException($"Input '{input.Name}' has no shape; expected one (single dimensions may be symbols).");
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
}
