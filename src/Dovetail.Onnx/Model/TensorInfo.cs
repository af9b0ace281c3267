namespace Dovetail.Onnx.Model;

/// <summary>The element type and shape of a tensor of the graph.</summary>
public sealed record TensorInfo(OnnxType Type, IReadOnlyList<Dim> Shape)
{
    /// <summary>A tensor of which nothing is known: what an operator without a rule makes, a sequence, a map.</summary>
    public static TensorInfo Unknown { get; } = new(OnnxType.Undefined, []) { HasShape = false };

    /// <summary>False where not even the rank is known; <see cref="Shape"/> is empty then, as a scalar's is.</summary>
    public bool HasShape { get; private init; } = true;

    /// <summary>-1 where it is not known.</summary>
    public int Rank => HasShape ? Shape.Count : -1;

    /// <summary>True where every dimension is a number.</summary>
    public bool IsFixed => HasShape && Shape.All(d => d.IsKnown);

    /// <summary>The dimension as a number.</summary>
    /// <exception cref="OnnxException">It is not known.</exception>
    public int Size(int axis, string tensor) =>
        axis < Shape.Count && Shape[axis].Value is { } size
            ? size is >= 0 and <= int.MaxValue ? (int)size
                : throw new OnnxException($"Dimension {axis} of tensor '{tensor}' {this} is {size}, expected at most {int.MaxValue}.")
            : throw new UndeterminedException($"Dimension {axis} of tensor '{tensor}' {this} is not known; expected a fixed "
                + "size (only the batch may vary). Fix it in the file, or say the sizes of the inputs (--dim NAME=N).");

    /// <summary>Without a type where it is not known.</summary>
    internal ValueInfoProto ToValueInfo(string name) =>
        HasShape ? ValueInfoProto.Tensor(name, Type, [.. Shape]) : new ValueInfoProto { Name = name };

    public bool Equals(TensorInfo? other) =>
        other is not null && HasShape == other.HasShape && Type == other.Type && Shape.SequenceEqual(other.Shape);

    public override int GetHashCode() => HashCode.Combine(Type, Rank);

    public override string ToString() =>
        !HasShape ? "of unknown shape" : $"{Type.ToString().ToLowerInvariant()}[{string.Join(", ", Shape)}]";
}
