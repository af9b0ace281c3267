namespace Dovetail.Onnx.Layers;

/// <summary>A node that multiplies as a layer does, but has no weights that patterns apply to.</summary>
/// <param name="Name">The node's, with its path inside other nodes.</param>
/// <param name="Op">Its operator.</param>
/// <param name="Reason">Why it is no layer, e.g. "its weights are computed at run time".</param>
public sealed record OtherNode(string Name, string Op, string Reason);
