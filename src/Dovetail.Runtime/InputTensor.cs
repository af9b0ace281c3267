namespace Dovetail.Runtime;

/// <summary>What one run of a model is fed for one of its inputs.</summary>
/// <param name="Name">The input's.</param>
/// <param name="Values">Elements of a type that <see cref="TensorValues"/> takes, row-major.</param>
/// <param name="Shape">Outermost first; empty for a scalar.</param>
public sealed record InputTensor(string Name, Array Values, long[] Shape);
