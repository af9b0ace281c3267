namespace Dovetail.Data.Tensors;

/// <summary>A tensor of a file, row-major: float, byte or long elements.</summary>
/// <param name="Values">float[], byte[] or long[].</param>
/// <param name="Shape">Outermost first; empty for a scalar.</param>
public sealed record FileTensor(Array Values, long[] Shape)
{
    /// <summary>"float [1, 3, 224, 224]".</summary>
    public override string ToString() => $"{TypeName} [{string.Join(", ", Shape)}]";

    /// <summary>Bytes of a file became these floats by <see cref="PixelScaling"/>.</summary>
    public bool IsScaled { get; init; }

    private string TypeName => Values switch
    {
        float[] => "float",
        byte[] => "uint8",
        _ => "int64",
    };
}
