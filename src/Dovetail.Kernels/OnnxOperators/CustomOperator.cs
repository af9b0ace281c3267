using System.Collections.Immutable;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>An operator of docs/operators.md: how to read a node and what it makes.</summary>
internal abstract class CustomOperator(string name, ImmutableArray<OperatorInput> inputs, ElementType outputType)
{
    public static ImmutableArray<CustomOperator> All { get; } = [.. PackedOperator.All, .. WindowOperator.All, GlobalAverageOperator.Instance];

    public string Name => name;

    public ImmutableArray<OperatorInput> Inputs => inputs;

    public ElementType OutputType => outputType;

    public bool HasInput(string input, int index) => index < inputs.Length && inputs[index].Name == input;

    public int IndexOf(string input)
    {
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i].Name == input)
                return i;
        throw new ArgumentException($"{name} has no input '{input}'.", nameof(input));
    }

    /// <exception cref="Dovetail.Core.DovetailException">The node is not a valid one.</exception>
    public abstract OperatorKernel CreateKernel(KernelInfo info);

    /// <summary>Sets the output's shape as far as the input's is known.</summary>
    public abstract void InferShape(OrtShapeInference inference);
}
