namespace Dovetail.Onnx.Model;

/// <summary>The element type and shape of a tensor of the graph.</summary>
public sealed record TensorInfo(OnnxType Type, IReadOnlyList<Dim> Shape)
{
    public int Rank => Shape.Count;

    /// <summary>The dimension as a number.</summary>
    /// <exception cref="OnnxException">It is not known.</exception>
    public int Size(int axis, string tensor) =>
        (int)(Shape[axis].Value ?? throw new OnnxException($"Dimension {axis} of tensor '{tensor}' {this} is not known; expected a fixed "
            + "size (only the batch may vary). Fix it in the file, or with GraphSlicer.WithDimensions."));

    internal ValueInfoProto ToValueInfo(string name) => ValueInfoProto.Tensor(name, Type, [.. Shape]);

    public bool Equals(TensorInfo? other) => other is not null && Type == other.Type && Shape.SequenceEqual(other.Shape);

    public override int GetHashCode() => HashCode.Combine(Type, Rank);

    public override string ToString() => $"{Type.ToString().ToLowerInvariant()}[{string.Join(", ", Shape)}]";
}
