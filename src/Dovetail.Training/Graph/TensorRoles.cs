using Dovetail.Onnx.Model;
using Dovetail.Training.Graph.Operators;

namespace Dovetail.Training.Graph;

/// <summary>
/// Which constants of a graph are learned (docs/training.md, section 3).
/// 1. The weights of Conv, Gemm and MatMul are, and the biases and scales of Conv, Gemm and BatchNormalization.
/// 2. What is added to a value, multiplies or is concatenated with it is a bias, a scale or a token where the value comes from a layer and
///    the tensor varies along that layer's channels alone. Anything else is a constant: a single number, a grid of positions, a mask. So is
///    a factor that holds zeros and ones, both, and nothing else: it masks channels.
/// 3. What is subtracted or divides, or is subtracted from or divided, normalizes: a constant.
/// 4. Behind operators that reorder or map it, and in arithmetic among constants, a tensor is what it is to the readers of the result.
/// 5. Of several readers, weights outweigh; else one reader to which it is a constant makes it one.
/// 6. What a Constant node holds is fixed. Names that the user gives come last and overrule all this.
/// </summary>
internal sealed class TensorRoles
{
    private readonly OnnxModel _model;
    private readonly ILookup<string, (NodeProto Node, IGraphOperator Operator, int Input)> _readers;
    private readonly Lazy<ChannelAxes> _axes;

    private TensorRoles(OnnxModel model, IEnumerable<(NodeProto Node, IGraphOperator Operator)> nodes)
    {
        _model = model;
        _readers = nodes.SelectMany(n => n.Node.Inputs.Select((name, i) => (Name: name, Reader: (n.Node, n.Operator, i))))
            .ToLookup(use => use.Name, use => use.Reader, StringComparer.Ordinal);
        _axes = new Lazy<ChannelAxes>(() => new ChannelAxes(model));
    }

    /// <param name="nodes">All nodes but Constant ones, in graph order.</param>
    /// <param name="train">Names to learn whatever the rule says.</param>
    /// <param name="freeze">Names to leave as they are.</param>
    /// <returns>The constants that reach operators as tensors, in the order in which they are read.</returns>
    /// <exception cref="GraphException">
    /// A tensor is running statistics and something else; a name is no tensor's, or its use cannot be chosen.
    /// </exception>
    public static IReadOnlyList<TrainedTensor> Decide(
        OnnxModel model, IReadOnlyList<(NodeProto Node, IGraphOperator Operator)> nodes,
        IReadOnlyList<string> train, IReadOnlyList<string> freeze)
    {
        var roles = new TensorRoles(model, nodes);
        var found = new List<(string Name, TensorProto Tensor, Verdict Verdict)>();
        foreach (string name in nodes.SelectMany(n => n.Node.Inputs.Where((_, i) => n.Operator.RoleOf(i) != InputRole.Constant)).Distinct())
            if (name.Length > 0 && model.FindConstant(name) is { } tensor)
                found.Add((name, tensor, roles.Judge(name, tensor)));
        CheckNames([.. found.Select(t => (t.Name, t.Verdict.Meaning))], train, freeze);
        return [.. found.Select(t => Use(t.Name, t.Tensor, t.Verdict))];

        TrainedTensor Use(string name, TensorProto tensor, Verdict verdict)
        {
            (Meaning meaning, string reason) = verdict;
            bool changes = meaning is Meaning.Weight or Meaning.Parameter;
            if (changes && model.FindInitializer(name) is null)
                (changes, reason) = (false, $"a Constant node; {reason}");
            if (train.Contains(name))
                (changes, reason) = (true, $"asked for; {reason}");
            if (freeze.Contains(name))
                (changes, reason) = (false, $"frozen as asked; {reason}");
            return new TrainedTensor(
                name, [.. tensor.Dims], meaning == Meaning.Statistics ? TensorUse.Updated : changes ? TensorUse.Learned : TensorUse.Fixed,
                IsDecayed: changes && meaning == Meaning.Weight && tensor.Dims.Count >= 2, reason);
        }
    }

    private static void CheckNames(
        IReadOnlyList<(string Name, Meaning Meaning)> tensors, IReadOnlyList<string> train, IReadOnlyList<string> freeze)
    {
        const int shown = 12;
        foreach ((string name, string what) in train.Select(n => (n, "train")).Concat(freeze.Select(n => (n, "freeze"))))
        {
            if (tensors.FirstOrDefault(t => t.Name == name) is not { Name: not null } found)
                throw new GraphException(
                    $"The model has no tensor '{name}' to {what}; it has {string.Join(", ", tensors.Take(shown).Select(t => t.Name))}"
                    + (tensors.Count > shown ? $" and {tensors.Count - shown} more." : "."));
            if (found.Meaning == Meaning.Statistics)
                throw new GraphException(
                    $"'{name}' holds running statistics, which training updates; only what is learned or constant can be named to {what}.");
        }

        if (train.FirstOrDefault(freeze.Contains) is { } both)
            throw new GraphException($"'{both}' is named to train and to freeze; expected one of them.");
    }

    private Verdict Judge(string name, TensorProto tensor)
    {
        List<Verdict> verdicts = [.. Readings(name, tensor)];
        if (verdicts.Count == 0)
            return new Verdict(Meaning.Constant, "no layer reads it");
        Verdict strongest = verdicts.MinBy(v => v.Meaning)!;
        return strongest.Meaning == Meaning.Statistics && verdicts.Find(v => v.Meaning != Meaning.Statistics) is { } other
            ? throw new GraphException($"'{name}' is {strongest.Reason} and {other.Reason}; it cannot be trained as both.")
            : strongest;
    }

    /// <summary>What a tensor is to each reader of a value that is it, or is made of it.</summary>
    private IEnumerable<Verdict> Readings(string value, TensorProto tensor)
    {
        foreach ((NodeProto node, IGraphOperator op, int input) in _readers[value])
        {
            IEnumerable<Verdict> verdicts = op.RoleOf(input) switch
            {
                InputRole.Weight => [new Verdict(Meaning.Weight, $"weights of {node}")],
                InputRole.Bias => [new Verdict(Meaning.Parameter, $"bias or scale of {node}")],
                InputRole.Buffer => [Statistics(node, value)],
                InputRole.Passed => Readings(node.Outputs[0], tensor),
                InputRole.Operand => Operand(node, input, value, tensor),
                _ => [],
            };
            foreach (Verdict verdict in verdicts)
                yield return verdict;
        }
    }

    private Verdict Statistics(NodeProto node, string value) => _model.FindConstant(value) is not null
        ? new Verdict(Meaning.Statistics, $"running statistics of {node}")
        : throw new GraphException(
            $"{node} cannot be trained: its running statistics '{value}' are computed, and only an initializer can be updated.");

    private IEnumerable<Verdict> Operand(NodeProto node, int input, string value, TensorProto tensor)
    {
        if (tensor.ElementCount() == 1)
            return [node.Is("Gemm")
                ? new Verdict(Meaning.Parameter, $"bias of {node}")
                : new Verdict(Meaning.Constant, $"a single number in {node}")];
        if (node.Is("Mul") && IsMask(tensor))
            return [new Verdict(Meaning.Constant, $"a mask of zeros and ones in {node}")];
        string output = node.Outputs[0];
        bool normalizes = node.Is("Sub") || node.Is("Div");
        if (_axes.Value.IsConstant(output))
            return normalizes && input == 1 ? [Normalization(node)] : Readings(output, tensor);
        if (normalizes)
            return [Normalization(node)];
        if (_axes.Value.FromLast(output) is not { } channels)
            return [new Verdict(Meaning.Constant, $"{node} follows no layer")];
        return [VariesAlong(_axes.Value.ShapeOf(value), _axes.Value.ShapeOf(output), channels)
            ? new Verdict(Meaning.Parameter, $"one a channel in {node}")
            : new Verdict(Meaning.Constant, $"varies along more than the channels in {node}")];
    }

    private static Verdict Normalization(NodeProto node) => new(Meaning.Constant, $"a normalization in {node}");

    private static bool VariesAlong(TensorInfo operand, TensorInfo output, int fromLast)
    {
        for (int i = 1; i <= operand.Rank; i++)
            if (operand.Shape[^i].Value is not { } size || (i == fromLast ? size != output.Shape[^i].Value : size != 1))
                return false;
        return operand.Rank >= fromLast;
    }

    private static bool IsMask(TensorProto tensor)
    {
        if (tensor.DataType != OnnxType.Float)
            return false;
        float[] values = tensor.Read<float>();
        return values.All(v => v is 0 or 1) && values.Contains(0) && values.Contains(1);
    }

    /// <summary>In falling order of weight where readers differ.</summary>
    private enum Meaning
    {
        Statistics,
        Weight,
        Constant,
        Parameter,
    }

    private sealed record Verdict(Meaning Meaning, string Reason);
}
