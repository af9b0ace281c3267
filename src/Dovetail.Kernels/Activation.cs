namespace Dovetail.Kernels;

/// <summary>
/// What a layer applies after bias and residual. NaN stays NaN. Kernels clamp every result to
/// [<see cref="Lowest"/>, <see cref="Highest"/>] while it is in a register, then apply <see cref="Function"/>, if any, to
/// what they stored.
/// </summary>
public readonly record struct Activation
{
    private readonly float _least, _greatest;

    private Activation(ActivationKind kind, float least = 0, float greatest = 0) => (Kind, _least, _greatest) = (kind, least, greatest);

    public static Activation None => default;

    public static Activation Relu { get; } = new(ActivationKind.Relu);

    public static Activation Silu { get; } = new(ActivationKind.Silu);

    public static Activation Gelu { get; } = new(ActivationKind.Gelu);

    public static Activation GeluTanh { get; } = new(ActivationKind.GeluTanh);

    public ActivationKind Kind { get; }

    /// <summary>The least result; −∞ where there is none.</summary>
    public float Lowest => Kind switch { ActivationKind.Relu => 0, ActivationKind.Clip => _least, _ => float.NegativeInfinity };

    /// <summary>The greatest result; ∞ where there is none.</summary>
    public float Highest => Kind == ActivationKind.Clip ? _greatest : float.PositiveInfinity;

    /// <summary>The kind where it is more than a clamp, otherwise <see cref="ActivationKind.None"/>.</summary>
    internal ActivationKind Function => Kind >= ActivationKind.Silu ? Kind : ActivationKind.None;

    /// <exception cref="KernelException">A bound is NaN, or they are not in order.</exception>
    public static Activation Clip(float least, float greatest) => least <= greatest
        ? new Activation(ActivationKind.Clip, least, greatest)
        : throw new KernelException($"A clip's bounds are {least} and {greatest}, expected two numbers in order.");

    public override string ToString() => Kind == ActivationKind.Clip ? $"Clip({_least}, {_greatest})" : Kind.ToString();
}
