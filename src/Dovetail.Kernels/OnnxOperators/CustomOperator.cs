using System.Collections.Immutable;
using Dovetail.Core.Operators;
using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>An operator of docs/operators.md as ONNX Runtime runs it: how to read a node and what it makes.</summary>
internal abstract class CustomOperator(OperatorSchema schema)
{
    public static ImmutableArray<CustomOperator> All
    {
        get;
    } = [.. PackedOperator.All, .. WindowOperator.All, GlobalAverageOperator.Instance];

    public OperatorSchema Schema => schema;

    public string Name => schema.Name;

    /// <exception cref="Dovetail.Core.DovetailException">The node is not a valid one.</exception>
    public abstract OperatorKernel CreateKernel(KernelInfo info);

    /// <summary>Sets the output's shape as far as the input's is known.</summary>
    public abstract void InferShape(OrtShapeInference inference);
}
