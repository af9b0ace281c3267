namespace Dovetail.Onnx.Passes.Quantize;

/// <summary>The scale and zero point that uint8 needs for a range: zero is always a value, exactly.</summary>
internal readonly record struct AffineRange(float Scale, byte ZeroPoint)
{
    public static AffineRange Of(float min, float max)
    {
        (float low, float high) = (Math.Min(min, 0), Math.Max(max, 0));
        float scale = (high - low) / 255;
        // A tensor that is always zero: any scale does.
        if (!float.IsNormal(scale))
            return new AffineRange(1, 0);
        return new AffineRange(scale, (byte)Math.Clamp(MathF.Round(-low / scale), 0, 255));
    }
}
