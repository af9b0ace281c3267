namespace Dovetail.Kernels;

/// <summary>Which function an <see cref="Activation"/> is.</summary>
public enum ActivationKind
{
    None,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>min(max(x, least), greatest).</summary>
    Clip,

    /// <summary>x / (1 + e^−x).</summary>
    Silu,

    /// <summary>x·(1 + erf(x/√2)) / 2.</summary>
    Gelu,

    /// <summary>x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2.</summary>
    GeluTanh,
}
