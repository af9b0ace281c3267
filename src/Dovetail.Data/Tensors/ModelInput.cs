namespace Dovetail.Data.Tensors;

/// <summary>What a model wants of one input.</summary>
/// <param name="ElementType">typeof(float), double, Half, bool or an integer of 8 to 64 bits.</param>
/// <param name="Shape">−1: any size.</param>
public sealed record ModelInput(string Name, Type ElementType, int[] Shape)
{
    public override string ToString() => $"'{Name}', {TypeName} [{string.Join(", ", Shape.Select(size => size < 0 ? "any" : $"{size}"))}]";

    private string TypeName => Tensors.ElementType.NameOf(ElementType);

    /// <summary>The dimension of the channels in an image input: 1 (NCHW), 3 (NHWC); null where this is no image.</summary>
    internal int? ChannelAxis =>
        Shape.Length != 4 ? null
        : Shape[1] is 1 or 3 or 4 ? 1
        : Shape[3] is 1 or 3 or 4 ? 3
        : null;

    /// <summary>True where a tensor of that shape may be fed.</summary>
    public bool Fits(ReadOnlySpan<long> shape)
    {
        if (shape.Length != Shape.Length)
            return false;
        for (int i = 0; i < shape.Length; i++)
            if (Shape[i] >= 0 && Shape[i] != shape[i])
                return false;
        return true;
    }
}
