using Dovetail.Onnx.Model;
using Dovetail.Training.Graph.Operators;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph;

/// <summary>The ONNX operators that can be trained, by name.</summary>
internal static class GraphOperators
{
    private static readonly Dictionary<string, Func<NodeProto, OnnxModel, IGraphOperator>> Builders = new(StringComparer.Ordinal)
    {
        ["Add"] = (_, _) => new BinaryOperator((a, b) => a + b),
        ["AveragePool"] = (node, _) => new AveragePoolOperator(node),
        ["BatchNormalization"] = (node, _) => new BatchNormalizationOperator(node),
        ["Clip"] = (node, model) => new ClipOperator(node, model),
        ["Concat"] = (node, _) => new ConcatOperator(node),
        ["Conv"] = (node, model) => new ConvOperator(node, model),
        ["Div"] = (_, _) => new BinaryOperator((a, b) => a / b),
        ["Dropout"] = (node, model) => new DropoutOperator(node, model),
        ["Flatten"] = (node, _) => new FlattenOperator(node),
        ["Gather"] = (node, model) => new GatherOperator(node, model),
        ["Gemm"] = (node, _) => new GemmOperator(node),
        ["GlobalAveragePool"] = (_, _) => new GlobalAveragePoolOperator(),
        ["Identity"] = (_, _) => new UnaryOperator(x => x.alias()),
        ["LeakyRelu"] = (node, _) => LeakyRelu(node.GetFloat("alpha", 0.01f)),
        ["LogSoftmax"] = (node, _) => LogSoftmax(node.GetInt("axis", -1)),
        ["MatMul"] = (_, _) => new MatMulOperator(),
        ["MaxPool"] = (node, _) => new MaxPoolOperator(node),
        ["Mul"] = (_, _) => new BinaryOperator((a, b) => a * b),
        ["ReduceMean"] = (node, model) => new ReduceMeanOperator(node, model),
        ["Relu"] = (_, _) => new UnaryOperator(x => x.relu()),
        ["Reshape"] = (node, model) => new ReshapeOperator(node, model),
        ["Sigmoid"] = (_, _) => new UnaryOperator(x => x.sigmoid()),
        ["Softmax"] = (node, _) => Softmax(node.GetInt("axis", -1)),
        ["Sub"] = (_, _) => new BinaryOperator((a, b) => a - b),
        ["Tanh"] = (_, _) => new UnaryOperator(x => x.tanh()),
        ["Transpose"] = (node, _) => new TransposeOperator(node),
    };

    /// <summary>In alphabetical order.</summary>
    public static IEnumerable<string> Supported => Builders.Keys.Order(StringComparer.Ordinal);

    /// <returns>All nodes but Constant ones, in graph order.</returns>
    /// <exception cref="GraphException">An operator is not among <see cref="Supported"/>, or its form is not.</exception>
    /// <exception cref="OnnxException">The graph is not valid.</exception>
    public static IReadOnlyList<(NodeProto Node, IGraphOperator Operator)> BuildAll(OnnxModel model)
    {
        model.CheckGraph();
        return [.. model.Nodes.Where(node => !node.Is("Constant")).Select(node => (node, Build(node, model)))];
    }

    private static IGraphOperator Build(NodeProto node, OnnxModel model)
    {
        if (node.Domain is not ("" or "ai.onnx") || !Builders.TryGetValue(node.OpType, out Func<NodeProto, OnnxModel, IGraphOperator>? build))
            throw new GraphException($"{node} cannot be trained: its operator is not supported. Supported are {string.Join(", ", Supported)}.");
        if (node.Outputs.Skip(1).Any(o => o.Length > 0))
        {
            string extra = node.Outputs.Skip(1).First(o => o.Length > 0);
            if (model.IsOutput(extra) || model.Consumers(extra).Count > 0)
                throw new GraphException($"{node} cannot be trained: its output '{extra}' is used, and only first outputs are supported.");
        }

        return build(node, model);
    }

    private static UnaryOperator LeakyRelu(float slope) => new(x => nn.functional.leaky_relu(x, slope));

    private static UnaryOperator Softmax(long axis) => new(x => nn.functional.softmax(x, axis));

    private static UnaryOperator LogSoftmax(long axis) => new(x => nn.functional.log_softmax(x, axis));
}
