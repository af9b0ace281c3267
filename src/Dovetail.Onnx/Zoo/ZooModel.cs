using Dovetail.Onnx.Model;

namespace Dovetail.Onnx.Zoo;

/// <summary>A network of the zoo: the name that <c>zoo:NAME</c> refers to, and one line about it.</summary>
/// <param name="InputName">Its only input, float.</param>
/// <param name="InputShape">With the sizes that a network has where <see cref="ZooOptions"/> says nothing; symbols are free.</param>
public sealed record ZooModel(string Name, string Description, string InputName, IReadOnlyList<Dim> InputShape);
