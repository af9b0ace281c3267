using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Layers;

/// <summary>The attributes <c>activation</c>, <c>activation_min</c> and <c>activation_max</c> of a packed operator (docs/operators.md).</summary>
public sealed record PackedActivation
{
    private const string MinAttribute = "activation_min", MaxAttribute = "activation_max";

    private PackedActivation(string name, float least = float.NegativeInfinity, float greatest = float.PositiveInfinity) =>
        (Name, Least, Greatest) = (name, least, greatest);

    public static PackedActivation None { get; } = new("none");

    public static PackedActivation Relu { get; } = new("relu", least: 0);

    public static PackedActivation Silu { get; } = new("silu");

    public static PackedActivation Gelu { get; } = new("gelu");

    public static PackedActivation GeluTanh { get; } = new("gelu_tanh");

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
        : new PackedActivation("clip", least, greatest);

    /// <summary>What a node with packed weights applies last.</summary>
    /// <exception cref="OnnxException">The activation is none that the operators know.</exception>
    public static PackedActivation Of(NodeProto node) => node.GetString(PackedWeights.ActivationAttribute, "none") switch
    {
        "none" => None,
        "relu" => Relu,
        "clip" => new PackedActivation("clip", node.GetFloat(MinAttribute, float.NegativeInfinity), node.GetFloat(MaxAttribute, float.PositiveInfinity)),
        "silu" => Silu,
        "gelu" => Gelu,
        "gelu_tanh" => GeluTanh,
        var other => throw new OnnxException($"{node} has activation '{other}', expected none, relu, clip, silu, gelu or gelu_tanh."),
    };

    /// <summary>The Relu or Clip that <paramref name="node"/> is; null where it is neither or its bounds are no constants in order.</summary>
    internal static PackedActivation? FindClamp(OnnxModel model, NodeProto node)
    {
        if (node.Is("Relu"))
            return Relu;
        if (!node.Is("Clip"))
            return null;
        return Bound(model, node, 1, "min", float.NegativeInfinity) is { } least && Bound(model, node, 2, "max", float.PositiveInfinity) is { } greatest && least <= greatest
            ? Clip(least, greatest)
            : null;
    }

    internal void WriteTo(NodeProto node)
    {
        node.With(PackedWeights.ActivationAttribute, Name);
        if (Name != "clip")
            return;
        if (float.IsFinite(Least))
            node.With(MinAttribute, Least);
        if (float.IsFinite(Greatest))
            node.With(MaxAttribute, Greatest);
    }

    // Bounds are inputs since operator set 11, attributes before.
    private static float? Bound(OnnxModel model, NodeProto node, int input, string attribute, float fallback) =>
        !node.HasInput(input) ? node.GetFloat(attribute, fallback)
        : model.FindConstant(node.Inputs[input]) is { DataType: OnnxType.Float } constant && constant.ToFloats() is [var value] ? value
        : null;
}
