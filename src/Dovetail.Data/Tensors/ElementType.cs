namespace Dovetail.Data.Tensors;

/// <summary>A type of elements that files and the inputs of models have.</summary>
/// <param name="Name">As ONNX and NumPy call it, e.g. "int64".</param>
/// <param name="Clr">The type of one element here.</param>
/// <param name="Descr">In the header of a .npy file, little endian.</param>
internal sealed record ElementType(string Name, Type Clr, string Descr)
{
    public static IReadOnlyList<ElementType> All { get; } =
    [
        new("float", typeof(float), "<f4"),
        new("double", typeof(double), "<f8"),
        new("float16", typeof(Half), "<f2"),
        new("uint8", typeof(byte), "|u1"),
        new("int8", typeof(sbyte), "|i1"),
        new("uint16", typeof(ushort), "<u2"),
        new("int16", typeof(short), "<i2"),
        new("uint32", typeof(uint), "<u4"),
        new("int32", typeof(int), "<i4"),
        new("uint64", typeof(ulong), "<u8"),
        new("int64", typeof(long), "<i8"),
        new("bool", typeof(bool), "|b1"),
    ];

    public bool IsFloat => Clr == typeof(float) || Clr == typeof(double) || Clr == typeof(Half);

    /// <summary>The type of a tensor's elements or of a model's input; null for one that no file here holds.</summary>
    public static ElementType? Find(Type clr) => All.FirstOrDefault(type => type.Clr == clr);

    /// <summary>By the header of a .npy file, which may state an order for single bytes too.</summary>
    public static ElementType? Find(string descr) =>
        All.FirstOrDefault(
            type => type.Descr == descr || (type.Descr[0] == '|' && descr is ['<' or '=', ..] && descr[1..] == type.Descr[1..]));

    /// <summary>How messages name it.</summary>
    public static string NameOf(Type clr) => Find(clr)?.Name ?? clr.Name;

    /// <summary>Floating-point numbers as another floating-point type, rounded to nearest.</summary>
    public static Array Convert(Array floats, Type to)
    {
        if (floats.GetType().GetElementType() == to)
            return floats;
        double[] wide = floats switch
        {
            float[] values => Array.ConvertAll(values, value => (double)value),
            Half[] values => Array.ConvertAll(values, value => (double)value),
            _ => (double[])floats,
        };
        return to == typeof(float) ? Array.ConvertAll(wide, value => (float)value)
            : to == typeof(Half) ? Array.ConvertAll(wide, value => (Half)value)
            : wide;
    }
}
