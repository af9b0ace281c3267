using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Onnx.Shapes;

namespace Dovetail.Onnx.Passes.Normalize;

/// <summary>
/// Brings a model of an older operator set of ONNX, from 7 on, to set 13 with the same results, the graphs in its nodes included.
/// 1. What was an attribute and became an input (<see cref="OnnxOperator.Parameters"/>) becomes a constant.
/// 2. Softmax, LogSoftmax and Hardmax took all axes from one on as one; where that is not the last axis, a Flatten before and a Reshape
///    behind them do it.
/// 3. Upsample, and Resize of set 10, become the Resize that picks what they picked.
/// 4. A Dropout whose mask nothing reads goes: it does nothing where a model runs.
/// Other operators mean the same in both sets. Source: the notes on versions in ONNX's list of operators.
/// </summary>
public static class OperatorSetUpgrade
{
    /// <summary>The operator set of the result, where the model's own is older.</summary>
    public const int Target = 13;

    private const int Oldest = 7;

    // The lowest version of the file format that goes with set 13.
    private const int TargetIrVersion = 7;

    /// <summary>A copy of the model in operator set 13; the model itself where it has that or a newer one.</summary>
    /// <exception cref="OnnxException">The set is older than 7, or a node has no counterpart: it is named with the reason.</exception>
    public static OnnxModel Apply(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        long opset = model.OpsetVersion();
        if (opset is 0 or >= Target)
            return model;
        if (opset < Oldest)
            throw new OnnxException($"The model uses operator set {opset}, expected {Oldest} or newer. Export it again with a newer one.");
        OnnxModel result = model.Clone();
        IReadOnlyDictionary<GraphProto, IReadOnlyDictionary<string, TensorInfo>> inferred = ShapeInference.InferWithBodies(result, null);
        foreach (OnnxModel graph in result.WithBodies().ToList())
        {
            IReadOnlyDictionary<string, TensorInfo> shapes = inferred[graph.Graph];
            foreach (NodeProto node in graph.Nodes.ToList())
                Raise(graph, node, shapes);
        }

        result.SetOpsetVersion("", Target);
        if (result.Proto.IrVersion < TargetIrVersion)
        {
            // Until version 3 of the format initializers had to be inputs too; from 4 on that makes them replaceable, so not constant.
            if (result.Proto.IrVersion < 4)
                result.Graph.Inputs.RemoveAll(input => result.Owns(input.Name));
            result.Proto.IrVersion = TargetIrVersion;
        }

        result.CheckGraph();
        return result;
    }

    private static void Raise(OnnxModel graph, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        if (OnnxOperators.DomainOf(node).Length > 0)
            return;
        switch (node.OpType)
        {
            case "Softmax" or "LogSoftmax" or "Hardmax":
                KeepCoercion(graph, node, shapes);
                return;
            case "Upsample":
                ReplaceUpsample(graph, node);
                return;
            case "Resize" when graph.OpsetVersion() == 10:
                RaiseResize(graph, node);
                return;
            case "Scatter":
                node.OpType = "ScatterElements";
                return;
            case "Scan" when graph.OpsetVersion() < 9:
                throw Unable(graph, node, "until set 8 it scanned batches");
            case "BatchNormalization":
                if (node.GetInt("spatial", 1) == 0)
                    throw Unable(graph, node, "spatial = 0 has no counterpart since set 9");
                node.RemoveAttribute("spatial");
                return;
            case "Dropout" when node.Outputs.Count < 2 || node.Outputs[1].Length == 0 || !IsRead(graph, node.Outputs[1]):
                node.OpType = "Identity";
                node.RemoveAttribute("ratio");
                node.RemoveAttribute("seed");
                node.Inputs.RemoveRange(1, node.Inputs.Count - 1);
                node.Outputs.RemoveRange(1, node.Outputs.Count - 1);
                return;
            case "Dropout" when graph.OpsetVersion() < 10:
                throw Unable(graph, node, "its mask is read, which was no boolean until set 9");
        }

        if (OperatorNode.Find(graph, node) is { } op)
            foreach (OperatorParameter parameter in op.Operator.Parameters)
                Move(graph, op, parameter, shapes);
    }

    /// <summary>An attribute that is an input in the new set becomes a constant.</summary>
    private static void Move(
        OnnxModel graph, OperatorNode op, OperatorParameter parameter, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        int place = Array.FindLastIndex(parameter.Places, entry => entry.Since <= op.Operator.VersionAt(Target));
        if (place < 0 || parameter.Places[place].Input is not { } input || op.Locate(parameter.Name).Attribute is not { } attribute)
            return;
        NodeProto node = op.Node;
        string name = graph.UniqueName($"{(node.Name.Length > 0 ? node.Name : node.Output())}.{parameter.Name}");
        OnnxType type = shapes[node.Input(0)].Type;
        graph.AddInitializer(attribute.Type switch
        {
            AttributeType.Ints => TensorData.Create<long>(name, [attribute.Ints.Count], [.. attribute.Ints]),
            AttributeType.Int => TensorData.Create<long>(name, [1], [attribute.I ?? 0]),
            AttributeType.Float => Number(name, attribute.F ?? 0, op.Operator.Name == "Dropout" ? OnnxType.Float : type),
            _ => throw Unable(graph, node, $"its attribute '{parameter.Name}' is {attribute.Type}, expected numbers"),
        });
        node.RemoveAttribute(parameter.Name);
        while (node.Inputs.Count <= input)
            node.Inputs.Add("");
        node.Inputs[input] = name;
    }

    private static TensorProto Number(string name, float value, OnnxType type)
    {
        if (type is not (OnnxType.Float16 or OnnxType.BFloat16 or OnnxType.Double))
            return TensorData.Scalar(name, value);
        var tensor = new TensorProto { Name = name, DataType = type };
        tensor.WriteFloats([value]);
        return tensor;
    }

    private static void KeepCoercion(OnnxModel graph, NodeProto node, IReadOnlyDictionary<string, TensorInfo> shapes)
    {
        long axis = node.GetInt("axis", 1);
        TensorInfo info = shapes[node.Input(0)];
        node.RemoveAttribute("axis");
        if (info.HasShape && (axis == info.Rank - 1 || axis == -1))
        {
            node.With("axis", -1);
            return;
        }

        string tensor = node.Input(0), own = node.Name.Length > 0 ? node.Name : node.Output();
        string shape = graph.UniqueName($"{own}.shape"), rows = graph.UniqueName($"{own}.rows"), result = graph.UniqueName($"{own}.result");
        int at = graph.Nodes.IndexOf(node);
        string output = node.Outputs[0];
        (node.Inputs[0], node.Outputs[0]) = (rows, result);
        node.With("axis", 1);
        graph.Nodes.Insert(at + 1, new NodeProto("Reshape", graph.UniqueName($"{own}.back"), [result, shape], [output]));
        graph.Nodes.InsertRange(at,
        [
            new NodeProto("Shape", graph.UniqueName($"{own}.measure"), [tensor], [shape]),
            new NodeProto("Flatten", graph.UniqueName($"{own}.flatten"), [tensor], [rows]).With("axis", axis),
        ]);
    }

    /// <summary>It picked the pixel before, which a Resize does by these attributes.</summary>
    private static void ReplaceUpsample(OnnxModel graph, NodeProto node)
    {
        string scales = node.Input(1);
        if (node.FindAttribute("scales") is { } attribute)
        {
            scales = graph.UniqueName($"{(node.Name.Length > 0 ? node.Name : node.Output())}.scales");
            graph.AddInitializer(TensorData.Create<float>(scales, [attribute.Floats.Count], [.. attribute.Floats]));
            node.RemoveAttribute("scales");
        }

        AsResize(node, scales, "floor");
    }

    private static void RaiseResize(OnnxModel graph, NodeProto node)
    {
        float[]? scales = graph.FindConstant(node.Input(1))?.ToFloats();
        bool nearest = node.GetString("mode", "nearest") == "nearest";
        bool grows = scales?.All(scale => scale >= 1) == true, shrinks = scales?.All(scale => scale <= 1) == true;
        if (nearest && !grows && !shrinks)
            throw Unable(graph, node, "set 10 rounds by the scale, and its scales are " + (scales is null
                ? "computed at run time" : $"[{string.Join(", ", scales)}], some above and some below 1"));
        AsResize(node, node.Input(1), nearest && !grows ? "ceil" : "floor");
    }

    private static void AsResize(NodeProto node, string scales, string nearestMode)
    {
        string mode = node.GetString("mode", "nearest");
        node.OpType = "Resize";
        string tensor = node.Input(0);
        node.Inputs.Clear();
        node.Inputs.AddRange([tensor, "", scales]);
        if (mode == "bilinear") // its name in Upsample's first versions
        {
            node.RemoveAttribute("mode");
            node.With("mode", "linear");
        }

        node.With("coordinate_transformation_mode", "asymmetric").With("nearest_mode", nearestMode);
    }

    private static bool IsRead(OnnxModel graph, string tensor) => graph.IsOutput(tensor) || graph.Consumers(tensor).Count > 0;

    private static OnnxException Unable(OnnxModel graph, NodeProto node, string reason) => new(
        $"{node} cannot be brought from operator set {graph.OpsetVersion()} to {Target}: {reason}. Export the model again with set "
        + $"{Target} or newer.");
}
