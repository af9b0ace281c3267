using System.Collections.Immutable;

namespace Dovetail.Core.Operators;

/// <summary>The attributes of the operators. Those of windows are named as ONNX names them.</summary>
public static class OperatorAttributes
{
    /// <summary>E.g. "1:16" or "4:64@strided".</summary>
    public static StringAttribute Pattern { get; } = new("pattern", [], null);

    /// <summary>Of the dense weight: [M, C/group, kh, kw] or [M, K].</summary>
    public static IntsAttribute WeightShape { get; } = new("weight_shape", null, 1, []);

    /// <summary>Applied after bias and residual.</summary>
    public static StringAttribute Activation { get; } = new(
        "activation",
        [ActivationNames.None, ActivationNames.Relu, ActivationNames.Clip, ActivationNames.Silu, ActivationNames.Gelu,
            ActivationNames.GeluTanh],
        ActivationNames.None);

    /// <summary>The same of the integer operators, which only clip.</summary>
    public static StringAttribute IntegerActivation { get; } =
        Activation with { Values = [ActivationNames.None, ActivationNames.Relu, ActivationNames.Clip] };

    /// <summary>The least result of a clip.</summary>
    public static FloatAttribute ActivationMin { get; } = new("activation_min", float.NegativeInfinity);

    /// <summary>The greatest result of a clip.</summary>
    public static FloatAttribute ActivationMax { get; } = new("activation_max", float.PositiveInfinity);

    /// <summary>What X and the weights are rounded to before they are multiplied.</summary>
    public static StringAttribute Operands { get; } = new("operands", [OperandNames.Float32, OperandNames.BFloat16], OperandNames.Float32);

    public static IntsAttribute KernelShape { get; } = new("kernel_shape", 2, 1, []);

    public static IntsAttribute Strides { get; } = new("strides", 2, 1, [1, 1]);

    /// <summary>Top, left, bottom, right.</summary>
    public static IntsAttribute Pads { get; } = new("pads", 4, 0, [0, 0, 0, 0]);

    public static IntsAttribute Dilations { get; } = new("dilations", 2, 1, [1, 1]);

    public static IntAttribute Group { get; } = new("group", 1, 1);

    /// <summary>1: windows may hang over the bottom and right edge.</summary>
    public static IntAttribute CeilMode { get; } = new("ceil_mode", 0, 0);

    /// <summary>1: pads count as zeros of an average.</summary>
    public static IntAttribute CountIncludePad { get; } = new("count_include_pad", 0, 0);

    /// <summary>The activation and its bounds.</summary>
    internal static ImmutableArray<OperatorAttribute> Activations { get; } = [Activation, ActivationMin, ActivationMax];

    internal static ImmutableArray<OperatorAttribute> IntegerActivations { get; } = [IntegerActivation, ActivationMin, ActivationMax];
}
