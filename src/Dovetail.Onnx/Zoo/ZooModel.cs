namespace Dovetail.Onnx.Zoo;

/// <summary>A network of the zoo: the name that <c>zoo:NAME</c> refers to, and one line about it.</summary>
public sealed record ZooModel(string Name, string Description);
