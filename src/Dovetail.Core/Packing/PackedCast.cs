namespace Dovetail.Core.Packing;

/// <summary>Packed weights in another floating-point type: the same owners, each value rounded to nearest, ties to even.</summary>
public static class PackedCast
{
    /// <exception cref="PackingException">
    /// The type is int8 (that needs scales: quantize instead), or a finite value is too large for the type.
    /// </exception>
    public static PackedTensor To(PackedTensor<float> packed, DType type)
    {
        ArgumentNullException.ThrowIfNull(packed);
        return type switch
        {
            DType.Float32 => packed,
            DType.Float16 => Convert(packed, type, value => (Half)value, half => (float)half),
            DType.BFloat16 => Convert(packed, type, BFloat16.FromSingle, value => value.ToSingle()),
            _ => throw new PackingException($"Values cannot be cast to {type}, expected Float32, Float16 or BFloat16. int8 needs scales: "
                + "quantize the model."),
        };
    }

    /// <summary>The values as float, exactly; int8 values times the scale of their output where there is one.</summary>
    public static PackedTensor<float> ToFloat32(PackedTensor packed)
    {
        ArgumentNullException.ThrowIfNull(packed);
        return packed switch
        {
            PackedTensor<float> floats => floats,
            PackedTensor<Half> halves => new(packed.Layout, Array.ConvertAll(halves.Values, value => (float)value), packed.Owners),
            PackedTensor<BFloat16> values => new(packed.Layout, Array.ConvertAll(values.Values, value => value.ToSingle()), packed.Owners),
            PackedTensor<sbyte> integers => Dequantize(integers),
            _ => throw new PackingException($"Values of type {packed.DType} cannot be cast to Float32."),
        };
    }

    private static PackedTensor<T> Convert<T>(PackedTensor<float> packed, DType type, Func<float, T> convert, Func<T, float> back)
        where T : unmanaged
    {
        var values = new T[packed.Values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = convert(packed.Values[i]);
            if (float.IsFinite(packed.Values[i]) && !float.IsFinite(back(values[i])))
                throw new PackingException($"The value {packed.Values[i]} is too large for {type}. Keep the layer in Float32 or scale its "
                    + "weights.");
        }

        return new PackedTensor<T>(packed.Layout, values, packed.Owners);
    }

    private static PackedTensor<float> Dequantize(PackedTensor<sbyte> packed)
    {
        float[] weights = Array.ConvertAll(Packer.Unpack(packed), value => (float)value);
        int columns = packed.Shape.Inputs;
        if (packed.Scales is { } scales)
            for (int i = 0; i < weights.Length; i++)
                weights[i] *= scales[i / columns];
        return Packer.Pack<float>(weights, packed.Layout, Packer.UnpackMask(packed));
    }
}
