namespace Dovetail.Runtime.Kernels.Simd;

/// <summary>What happens to a tile's sums before they reach memory.</summary>
internal abstract unsafe class TileEpilogue : IDisposable
{
    /// <param name="sums">[pixels][sumStride], 32-bit numbers.</param>
    /// <param name="sumStride">Numbers from one pixel's sums to the next.</param>
    /// <param name="pixel">The first output pixel; the others follow it.</param>
    /// <param name="output">The first output; <paramref name="outputs"/> of them are stored.</param>
    public abstract void Store(void* sums, int sumStride, in LayerCall call, long pixel, int pixels, int output, int outputs);

    public abstract void Dispose();
}
