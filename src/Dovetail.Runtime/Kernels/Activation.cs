namespace Dovetail.Runtime.Kernels;

/// <summary>What a layer applies after bias and residual.</summary>
public enum Activation
{
    None,

    /// <summary>max(x, 0); a quantized layer's outputs are at least the output zero point. NaN stays NaN.</summary>
    Relu,
}
