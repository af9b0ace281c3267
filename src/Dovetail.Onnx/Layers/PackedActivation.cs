using Dovetail.Core.Operators;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Operators;

namespace Dovetail.Onnx.Layers;

/// <summary>The attributes <c>activation </c>, <c>activation_min </c> and <c>activation_max </c> of a packed operator
/// (docs/operators.md).</summary>
internal sealed record PackedActivation
{
    private PackedActivation(string name, float least = float.NegativeInfinity, float greatest = float.PositiveInfinity) =>
        (Name, Least, Greatest) = (name, least, greatest);

    public static PackedActivation None { get; } = new(ActivationNames.None);

    public static PackedActivation Relu { get; } = new(ActivationNames.Relu, least: 0);

    public static PackedActivation Silu { get; } = new(ActivationNames.Silu);

    public static PackedActivation Gelu { get; } = new(ActivationNames.Gelu);

    public static PackedActivation GeluTanh { get; } = new(ActivationNames.GeluTanh);

    /// <summary>The attribute's value.</summary>
    public string Name { get; }

    /// <summary>What results are clipped to; −∞ where they are not.</summary>
    public float Least { get; }

    /// <inheritdoc cref="Least"/>
    public float Greatest { get; }

    /// <exception cref="OnnxException">A bound is NaN, or they are not in order.</exception>
    public static PackedActivation Clip(float least, float greatest) =>
        !(least <= greatest) ? throw new OnnxException($"A clip's bounds are {least} and {greatest}, expected two numbers in order.")
        : least == 0 && float.IsPositiveInfinity(greatest) ? Relu
        : new PackedActivation(ActivationNames.Clip, least, greatest);

    /// <summary>What one of the operators with that attribute applies last.</summary>
    /// <exception cref="OnnxException">The activation is none that the operator knows.</exception>
    public static PackedActivation Of(NodeProto node) =>
        node.Get(node.Schema().Activation ?? throw new OnnxException($"{node} has no activation.")) switch
        {
            ActivationNames.None => None,
            ActivationNames.Relu => Relu,
            ActivationNames.Clip =>
                new PackedActivation(
                    ActivationNames.Clip, node.Get(OperatorAttributes.ActivationMin), node.Get(OperatorAttributes.ActivationMax)),
            ActivationNames.Silu => Silu,
            ActivationNames.Gelu => Gelu,
            _ => GeluTanh,
        };

    /// <summary>The Relu or Clip that <paramref name="node"/> is; null where it is neither or its bounds are no constants in
    /// order.</summary>
    internal static PackedActivation? FindClamp(OnnxModel model, NodeProto node)
    {
        if (node.Is("Relu"))
            return Relu;
        return node.Is("Clip") && OperatorNode.Find(model, node) is { } op
            && op.Float("min", float.NegativeInfinity) is { } least && op.Float("max", float.PositiveInfinity) is { } greatest
                && least <= greatest
            ? Clip(least, greatest)
            : null;
    }

    internal void WriteTo(NodeProto node)
    {
        node.With(OperatorAttributes.Activation, Name);
        if (Name != ActivationNames.Clip)
            return;
        if (float.IsFinite(Least))
            node.With(OperatorAttributes.ActivationMin, Least);
        if (float.IsFinite(Greatest))
            node.With(OperatorAttributes.ActivationMax, Greatest);
    }
}
