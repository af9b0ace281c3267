namespace Dovetail.Runtime;

/// <summary>A tensor as a model computed it, in the model's own layout.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Dimensions">Row-major, the last fastest.</param>
public abstract record CapturedTensor(string Name, IReadOnlyList<long> Dimensions);

/// <summary>A floating-point tensor.</summary>
public sealed record CapturedFloats(string Name, IReadOnlyList<long> Dimensions, float[] Values) : CapturedTensor(Name, Dimensions);

/// <summary>A uint8 tensor.</summary>
public sealed record CapturedBytes(string Name, IReadOnlyList<long> Dimensions, byte[] Values) : CapturedTensor(Name, Dimensions);
