using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;
using Dovetail.Training.Graph.Operators;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph;

/// <summary>
/// The ONNX operators that can be trained. Each is a row of <see cref="OnnxOperators"/>, which says from which version of the
/// operator on it is understood and where that version keeps its parameters.
/// </summary>
internal static class GraphOperators
{
    private static readonly Dictionary<OnnxOperator, Func<OperatorNode, IGraphOperator>> Builders = new()
    {
        [Row("Add")] = _ => new BinaryOperator((a, b) => a + b),
        [Row("AveragePool")] = op => new AveragePoolOperator(op.Node),
        [Row("BatchNormalization")] = BatchNormalization,
        [Row("Clip")] = op => new ClipOperator(op),
        [Row("Concat")] = op => new ConcatOperator(op.Node),
        [Row("Conv")] = op => new ConvOperator(op.Node, op.Model),
        [Row("Div")] = _ => new BinaryOperator((a, b) => a / b),
        [Row("Dropout")] = op => new DropoutOperator(op),
        [Row("Flatten")] = op => new FlattenOperator(op.Node),
        [Row("Gather")] = op => new GatherOperator(op.Node, op.Model),
        [Row("Gemm")] = op => new GemmOperator(op.Node),
        [Row("GlobalAveragePool")] = _ => new GlobalAveragePoolOperator(),
        [Row("Identity")] = _ => new UnaryOperator(x => x.alias()),
        [Row("LeakyRelu")] = op => LeakyRelu(op.Node.GetFloat("alpha", 0.01f)),
        [Row("LogSoftmax")] = op => new SoftmaxOperator(op, (x, axis) => nn.functional.log_softmax(x, axis)),
        [Row("MatMul")] = _ => new MatMulOperator(),
        [Row("MaxPool")] = op => new MaxPoolOperator(op.Node),
        [Row("Mul")] = _ => new BinaryOperator((a, b) => a * b),
        [Row("ReduceMean")] = op => new ReduceMeanOperator(op),
        [Row("Relu")] = _ => new UnaryOperator(x => x.relu()),
        [Row("Reshape")] = op => new ReshapeOperator(op),
        [Row("Sigmoid")] = _ => new UnaryOperator(x => x.sigmoid()),
        [Row("Softmax")] = op => new SoftmaxOperator(op, (x, axis) => nn.functional.softmax(x, axis)),
        [Row("Sub")] = _ => new BinaryOperator((a, b) => a - b),
        [Row("Tanh")] = _ => new UnaryOperator(x => x.tanh()),
        [Row("Transpose")] = op => new TransposeOperator(op.Node),
    };

    /// <summary>In alphabetical order.</summary>
    public static IEnumerable<string> Supported => Builders.Keys.Select(row => row.Name).Order(StringComparer.Ordinal);

    /// <returns>All nodes but Constant ones, in graph order.</returns>
    /// <exception cref="GraphException">An operator is not among <see cref="Supported"/>, or its form or version is not.</exception>
    /// <exception cref="OnnxException">The graph is not valid.</exception>
    public static IReadOnlyList<(NodeProto Node, IGraphOperator Operator)> BuildAll(OnnxModel model)
    {
        model.CheckGraph();
        return [.. model.Nodes.Where(node => !node.Is("Constant")).Select(node => (node, Build(node, model)))];
    }

    private static IGraphOperator Build(NodeProto node, OnnxModel model)
    {
        if (!Builders.Keys.Any(row => node.Is(row.Name)))
            throw new GraphException($"{node} cannot be trained: its operator is not supported. Supported are "
                + $"{string.Join(", ", Supported)}.");
        OperatorNode op = OperatorNode.Find(model, node)
            ?? throw new GraphException(
                $"{node} cannot be trained: its operator {OnnxOperators.ReasonUnknown(node, model.OpsetVersion())}.");
        if (node.Outputs.Skip(1).Any(o => o.Length > 0))
        {
            string extra = node.Outputs.Skip(1).First(o => o.Length > 0);
            if (model.IsOutput(extra) || model.Consumers(extra).Count > 0)
                throw new GraphException($"{node} cannot be trained: its output '{extra}' is used, and only first outputs are supported.");
        }

        return Builders[op.Operator](op);
    }

    private static OnnxOperator Row(string name) => OnnxOperators.Get(name);

    private static BatchNormalizationOperator BatchNormalization(OperatorNode op) =>
        op.Node.GetInt("spatial", 1) != 0 ? new BatchNormalizationOperator(op.Node)
            : throw new GraphException($"{op.Node} cannot be trained: with spatial = 0 it has a mean for each number of an image.");

    private static UnaryOperator LeakyRelu(float slope) => new(x => nn.functional.leaky_relu(x, slope));
}
