namespace Dovetail.Data.Tensors;

/// <summary>A tensor of a file, row-major.</summary>
/// <param name="Values">Elements of one of the types that .npy files hold: float, double, Half, bool, integers of 8 to 64 bits.</param>
/// <param name="Shape">Outermost first; empty for a scalar.</param>
public sealed record FileTensor(Array Values, long[] Shape)
{
    /// <summary>"float [1, 3, 224, 224]".</summary>
    public override string ToString() => $"{TypeName} [{string.Join(", ", Shape)}]";

    /// <summary>Bytes of a file became these floats by <see cref="PixelScaling"/>.</summary>
    public bool IsScaled { get; init; }

    /// <summary>The elements of a floating-point tensor as float, rounded to nearest.</summary>
    /// <exception cref="TensorFileException">They are integers or truth values.</exception>
    public float[] ToFloats() => Values is float[] or Half[] or double[]? (float[])ElementType.Convert(Values, typeof(float))
        : throw new TensorFileException($"The tensor is {this}, expected floating-point numbers.");

    private string TypeName => ElementType.NameOf(Values.GetType().GetElementType()!);
}
