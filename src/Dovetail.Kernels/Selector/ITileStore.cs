namespace Dovetail.Kernels.Selector;

/// <summary>What a tile's sums start from, and how they leave the registers. Bound to one tile of one run.</summary>
internal interface ITileStore<TAcc>
    where TAcc : unmanaged
{
    /// <summary>The sums that every pixel's <paramref name="vector"/>-th vector starts from.</summary>
    TAcc Start(int vector);

    /// <summary>True where all lanes of the tile's first <paramref name="vectors"/> vectors are outputs.</summary>
    bool IsWhole(int vectors);

    /// <summary>Stores the finished sums of a pixel; all lanes are outputs.</summary>
    void Finish(TAcc sums, int pixel, int vector);

    /// <summary>
    /// Stores the sums of a tile that is not whole, [pixels][vectors]. Memory behind its outputs belongs to others.
    /// Apart from <see cref="Finish"/>, since a call in the tile's code would make the compiler spill all sums.
    /// </summary>
    unsafe void FinishPart(TAcc* sums, int pixels, int vectors);
}

/// <summary>How a store is bound.</summary>
internal interface IBoundStore<TSelf>
    where TSelf : struct
{
    /// <param name="pixel">The tile's first output pixel; the others follow it.</param>
    /// <param name="output">The tile's first output.</param>
    /// <param name="outputs">How many the tile really has; lanes behind them are not stored.</param>
    static abstract TSelf Bind(LayerConstants constants, in LayerCall call, long pixel, int output, int outputs);
}
