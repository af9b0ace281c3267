using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Passes.Fuse;

/// <summary>
/// Finds activation functions that exporters write as several nodes (x·Sigmoid(x); GELU from Div, Erf, Add, Mul, Mul in
/// whatever order; its tanh form), by computing them.
/// 1. Nodes that work element by element on the tensor and on single constants are collected in graph order.
/// 2. Whenever all that was collected leaves through one tensor, that tensor is a function of the first one. Its values at
///    <see cref="Samples"/> tell which: the functions lie further apart than <see cref="Tolerance"/>, and constants in
///    files are exact enough.
/// </summary>
internal static class ActivationRecognition
{
    /// <summary>Of max(1, |y|). GELU and its tanh form differ by up to 5e-4; five digits of √2 are off by 2e-5.</summary>
    private const double Tolerance = 4e-5;

    private const int MostNodes = 16;

    private static readonly double[] Samples = [.. Enumerable.Range(-26, 53).Select(i => i / 4.0)];

    private static readonly (PackedActivation Activation, double[] Values)[] Functions =
    [
        (PackedActivation.Silu, Array.ConvertAll(Samples, ScalarFunctions.Silu)),
        (PackedActivation.Gelu, Array.ConvertAll(Samples, ScalarFunctions.Gelu)),
        (PackedActivation.GeluTanh, Array.ConvertAll(Samples, ScalarFunctions.GeluTanh)),
    ];

    /// <summary>The nodes behind a tensor that are together one of the functions, the last of them last; null where there are
    /// none.</summary>
    public static (PackedActivation Activation, List<NodeProto> Nodes)? Find(OnnxModel model, string tensor)
    {
        var values = new Dictionary<string, double[]> { [tensor] = Samples };
        var nodes = new List<NodeProto>();
        foreach (NodeProto node in model.Nodes)
        {
            if (!node.Inputs.Exists(values.ContainsKey))
                continue;
            if (nodes.Count == MostNodes || Evaluate(model, node, values) is not { } result)
                continue;
            nodes.Add(node);
            values[node.Outputs[0]] = result;
            bool isOnlyExit = values.Keys.Where(t => t != node.Outputs[0])
                .All(t => !model.IsOutput(t) && model.Consumers(t).All(nodes.Contains));
            if (isOnlyExit && Array.Find(Functions, f => AreClose(f.Values, result)).Activation is { } found)
                return (found, nodes);
        }

        return null;
    }

    private static double[]? Evaluate(OnnxModel model, NodeProto node, Dictionary<string, double[]> values)
    {
        if (node.Outputs.Count != 1 || OperatorNode.Find(model, node) is not { } op)
            return null;
        if (op.Operator.Unary is not null)
            return values.TryGetValue(node.Input(0), out double[]? x) && op.Operator.Unary(op) is { } function
                ? Array.ConvertAll(x, v => function(v))
                : null;
        if (op.Operator.Binary is null || node.Inputs.Count != 2)
            return null;
        double[][] inputs = [
            .. node.Inputs.Select(i => values.TryGetValue(i, out double[]? known) ? known : Constant(model, i)).OfType<double[]>()];
        return inputs is [var a, var b] ? [.. a.Zip(b, op.Operator.Binary)] : null;
    }

    // A constant of rank 0 or 1 leaves every shape as it is.
    private static double[]? Constant(OnnxModel model, string name)
    {
        if (model.FindConstant(name) is not { DataType: OnnxType.Float, Dims.Count: <= 1 } tensor || tensor.ElementCount() != 1)
            return null;
        var values = new double[Samples.Length];
        Array.Fill(values, tensor.ToFloats()[0]);
        return values;
    }

    private static bool AreClose(double[] expected, double[] found)
    {
        for (int i = 0; i < expected.Length; i++)
            if (!(Math.Abs(expected[i] - found[i]) <= Tolerance * Math.Max(1, Math.Abs(expected[i]))))
                return false;
        return true;
    }
}
