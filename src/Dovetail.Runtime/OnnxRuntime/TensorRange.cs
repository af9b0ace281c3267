namespace Dovetail.Runtime.OnnxRuntime;

/// <summary>The values a tensor took over some images; 0 lies within.</summary>
public readonly record struct TensorRange(float Minimum, float Maximum);
