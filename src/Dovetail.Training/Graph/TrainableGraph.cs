using Dovetail.Onnx.Model;
using Dovetail.Training.Graph.Operators;
using Dovetail.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph;

/// <summary>
/// An ONNX graph with one input and one output as Torch operations.
/// 1. Each node becomes a small operator (<see cref="GraphOperators"/>); tensors live in numbered slots.
/// 2. Each float initializer becomes a parameter (learned), a buffer (running statistics) or a fixed tensor
///    (<see cref="TensorRoles"/>).
/// 3. A forward pass runs the nodes in the file's order, which ONNX requires to be topological.
/// 4. <see cref="WriteTo"/> puts parameters and buffers back into the initializers they came from.
/// </summary>
internal sealed class TrainableGraph : IDisposable
{
    private readonly List<Step> _steps = [];
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly List<(int Slot, Tensor Tensor)> _held = [];
    private readonly SortedDictionary<string, Tensor> _parameters = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Tensor> _buffers = new(StringComparer.Ordinal);
    private readonly int _input, _output;

    /// <param name="train">Names of tensors to learn whatever the rule says; null for none.</param>
    /// <param name="freeze">Names of tensors to leave as they are; null for none.</param>
    /// <exception cref="GraphException">The graph has an operator or a form that cannot be trained, or a name is no such
    /// tensor's.</exception>
    /// <exception cref="OnnxException">The graph is not valid.</exception>
    public TrainableGraph(OnnxModel model, IReadOnlyList<string>? train = null, IReadOnlyList<string>? freeze = null)
    {
        TorchRuntime.EnsureLoaded();
        ArgumentNullException.ThrowIfNull(model);
        if (model.Inputs.Count != 1 || model.Outputs.Count != 1)
            throw new GraphException($"The model has {model.Inputs.Count} inputs and {model.Outputs.Count} outputs; training needs one of "
                + "each, images in and logits out.");
        IReadOnlyList<(NodeProto Node, IGraphOperator Operator)> nodes = GraphOperators.BuildAll(model);
        Tensors = TensorRoles.Decide(model, nodes, train ?? [], freeze ?? []);
        _input = Slot(model.Inputs[0].Name);
        foreach ((NodeProto node, IGraphOperator op) in nodes)
        {
            int[] inputs = [.. node.Inputs.Select((name, i) => name.Length == 0 || op.RoleOf(i) == InputRole.Constant ? -1 : Slot(name))];
            _steps.Add(new Step(op, inputs, Slot(node.Outputs[0]), node.ToString()));
        }

        _output = Slot(model.Outputs[0].Name);
        foreach (TrainedTensor tensor in Tensors)
            Hold(tensor, model);
    }

    /// <summary>The constants that the graph computes with, and which of them are learned, in the order in which they are read.</summary>
    public IReadOnlyList<TrainedTensor> Tensors { get; }

    /// <summary>What is learned, by initializer name, in ordinal order.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => _parameters;

    /// <summary>Running statistics, by initializer name, in ordinal order.</summary>
    public IReadOnlyDictionary<string, Tensor> Buffers => _buffers;

    /// <param name="x">The input, e.g. images [N, 1, 28, 28].</param>
    /// <returns>The output, e.g. logits [N, classes], in the caller's dispose scope.</returns>
    public Tensor Forward(Tensor x, ForwardMode mode)
    {
        var values = new Tensor?[_slots.Count];
        foreach ((int slot, Tensor tensor) in _held)
            values[slot] = tensor;
        values[_input] = x;
        foreach (Step step in _steps)
        {
            var inputs = new Tensor?[step.Inputs.Length];
            for (int i = 0; i < inputs.Length; i++)
                inputs[i] = step.Inputs[i] < 0 ? null : values[step.Inputs[i]];
            try
            {
                values[step.Output] = step.Operator.Forward(inputs, mode);
            }
            catch (System.Runtime.InteropServices.ExternalException error)
            {
                throw new GraphException($"{step.Name} failed on inputs of shape "
                    + $"{string.Join(" and ", inputs.Where(t => t is not null).Select(t => $"[{string.Join(", ", t!.shape)}]"))}: "
                    + $"{error.Message.Split('\n')[0]}", error);
            }
        }

        return values[_output]!;
    }

    /// <summary>Writes parameters and buffers into the initializers of a model with this graph.</summary>
    public void WriteTo(OnnxModel model)
    {
        foreach ((string name, Tensor tensor) in _parameters.Concat(_buffers))
            model.FindConstant(name)!.Write<float>(tensor.ToFloats());
    }

    public void Dispose()
    {
        foreach ((_, Tensor tensor) in _held)
            tensor.Dispose();
    }

    private void Hold(TrainedTensor role, OnnxModel model)
    {
        TensorProto constant = model.FindConstant(role.Name)!;
        if (constant.DataType != OnnxType.Float)
        {
            throw new GraphException(
                $"{model.Consumers(role.Name)[0]} reads '{role.Name}', which holds {constant.DataType}; training needs float weights.");
        }

        using DisposeScope scope = NewDisposeScope();
        Tensor held = tensor(constant.Read<float>(), [.. constant.Dims]).DetachFromDisposeScope();
        held.requires_grad = role.Use == TensorUse.Learned;
        _held.Add((Slot(role.Name), held));
        if (role.Use == TensorUse.Learned)
            _parameters.Add(role.Name, held);
        else if (role.Use == TensorUse.Updated)
            _buffers.Add(role.Name, held);
    }

    private int Slot(string name)
    {
        if (!_slots.TryGetValue(name, out int slot))
            _slots.Add(name, slot = _slots.Count);
        return slot;
    }

    private sealed record Step(IGraphOperator Operator, int[] Inputs, int Output, string Name);
}
