using Dovetail.Core.Operators;

namespace Dovetail.Onnx.Operators;

/// <summary>
/// How an operator on NCHW images can work on NHWC ones instead, by changing no more than attributes and constants
/// (Passes/Layout). Unless said otherwise its first input and its only output are the images.
/// </summary>
internal sealed record LayoutFreedom
{
    /// <summary>It takes each number of its first input alone.</summary>
    public static LayoutFreedom Elementwise { get; } = new() { IsElementwise = true };

    /// <summary>Its inputs are images or constants that are broadcast to one.</summary>
    public static LayoutFreedom Operands { get; } = new() { AllInputs = true };

    public bool IsElementwise { get; private init; }

    public bool AllInputs { get; init; }

    public bool AllOutputs { get; init; }

    /// <summary>The attribute with the number of an axis, which must be that of the channels; null for none.</summary>
    public string? Axis { get; init; }

    /// <summary>Parameters with one or more numbers for each dimension; the first that the node gives must be constant.</summary>
    public IReadOnlyList<string> PerDimension { get; init; } = [];

    /// <summary>The operator of Dovetail's own that it becomes.</summary>
    public OperatorSchema? Twin { get; init; }

    /// <summary>The twin's result is [N, C], which has no layout.</summary>
    public bool EndsLayout { get; init; }

    /// <summary>Which nodes can; null for all.</summary>
    public Func<OperatorNode, bool>? Only { get; init; }
}
