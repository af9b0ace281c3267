namespace Dovetail.Kernels.Selector;

/// <summary>
/// The rows at the end of an input that a kernel may not read in place, because it loads further than they reach: they are
/// read from a copy with room behind it (<see cref="RowPointers"/>).
/// </summary>
/// <param name="Start">From which byte of the input on.</param>
/// <param name="Length">Bytes up to the input's end; 0 where all rows may be read in place.</param>
internal readonly record struct InputTail(long Start, int Length)
{
    /// <param name="inputBytes">Of all images.</param>
    /// <param name="pixelBytes">From one row (the channels of a pixel) to the next.</param>
    /// <param name="reachBytes">From a row's first byte to behind the last that is loaded of it, a row's size or more.</param>
    public static InputTail Of(long inputBytes, int pixelBytes, int reachBytes)
    {
        if (reachBytes == pixelBytes)
            return default;
        long start = inputBytes < reachBytes ? 0 : ((inputBytes - reachBytes) / pixelBytes + 1) * pixelBytes;
        return new InputTail(start, (int)(inputBytes - start));
    }
}
