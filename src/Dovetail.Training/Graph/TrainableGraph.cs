using Dovetail.Onnx.Model;
using Dovetail.Training.Graph.Operators;
using Dovetail.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dovetail.Training.Graph;

/// <summary>
/// An ONNX graph with one input and one output as Torch operations.
/// 1. Each node becomes a small operator (<see cref="GraphOperators"/>); tensors live in numbered slots.
/// 2. Each float initializer becomes a parameter (learned), a buffer (running statistics) or a fixed tensor,
///    as its readers say.
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

    /// <exception cref="GraphException">The graph has an operator or a form that cannot be trained.</exception>
    /// <exception cref="OnnxException">The graph is not valid.</exception>
    public TrainableGraph(OnnxModel model)
    {
        TorchRuntime.EnsureLoaded();
        ArgumentNullException.ThrowIfNull(model);
        model.CheckGraph();
        if (model.Inputs.Count != 1 || model.Outputs.Count != 1)
            throw new GraphException($"The model has {model.Inputs.Count} inputs and {model.Outputs.Count} outputs; training needs one of each, images in and logits out.");
        _input = Slot(model.Inputs[0].Name);
        var roles = new Dictionary<string, (InputRole Role, NodeProto Reader)>(StringComparer.Ordinal);
        foreach (NodeProto node in model.Nodes)
        {
            if (node.Is("Constant"))
                continue;
            IGraphOperator op = GraphOperators.Build(node, model);
            var inputs = new int[node.Inputs.Count];
            for (int i = 0; i < inputs.Length; i++)
                inputs[i] = InputSlot(model, node, i, op, roles);
            _steps.Add(new Step(op, inputs, Slot(node.Outputs[0]), node.ToString()));
        }

        _output = Slot(model.Outputs[0].Name);
        foreach ((string name, (InputRole role, NodeProto reader)) in roles)
            Hold(name, role, model.Constant(name, reader), reader);
    }

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
                throw new GraphException($"{step.Name} failed on inputs of shape {string.Join(" and ", inputs.Where(t => t is not null).Select(t => $"[{string.Join(", ", t!.shape)}]"))}: {error.Message.Split('\n')[0]}", error);
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

    private int InputSlot(
        OnnxModel model, NodeProto node, int input, IGraphOperator op, Dictionary<string, (InputRole Role, NodeProto Reader)> roles)
    {
        string name = node.Inputs[input];
        if (name.Length == 0)
            return -1;
        if (model.FindConstant(name) is not { } constant)
            return Slot(name);
        InputRole role = op.RoleOf(input, constant.ElementCount());
        if (role == InputRole.Constant)
            return -1;
        if (role == InputRole.Trainable && model.FindInitializer(name) is null)
            role = InputRole.Fixed; // a Constant node says that it is one
        if (!roles.TryAdd(name, (role, node)) && roles[name].Role != role)
            throw new GraphException($"'{name}' is {roles[name].Role} to {roles[name].Reader} and {role} to {node}; it cannot be trained as both.");
        return Slot(name);
    }

    private void Hold(string name, InputRole role, TensorProto constant, NodeProto reader)
    {
        if (constant.DataType != OnnxType.Float)
            throw new GraphException($"{reader} reads '{name}', which holds {constant.DataType}; training needs float weights.");
        using DisposeScope scope = NewDisposeScope();
        Tensor held = tensor(constant.Read<float>(), [.. constant.Dims]).DetachFromDisposeScope();
        held.requires_grad = role == InputRole.Trainable;
        _held.Add((Slot(name), held));
        if (role == InputRole.Trainable)
            _parameters.Add(name, held);
        else if (role == InputRole.Buffer)
            _buffers.Add(name, held);
    }

    private int Slot(string name)
    {
        if (!_slots.TryGetValue(name, out int slot))
            _slots.Add(name, slot = _slots.Count);
        return slot;
    }

    private sealed record Step(IGraphOperator Operator, int[] Inputs, int Output, string Name);
}
