namespace Dovetail.Kernels.Selector;

/// <summary>
/// The few instructions in which the selector kernels differ; <see cref="TileKernel{TOps,TInput,TWeights,TOwners,TAcc,TStore}"/>
/// is written once over them. A vector carries <see cref="Lanes"/> outputs. One step loads a window of inputs of
/// one pixel and, for every lane, picks the inputs of <see cref="SlotsPerStep"/> slots by their owners and adds
/// their products with the weights to the lane's accumulator.
/// </summary>
internal unsafe interface ILaneOperations<TInput, TWeights, TOwners, TAcc>
    where TAcc : unmanaged
{
    /// <summary>Outputs that one vector carries.</summary>
    static abstract int Lanes { get; }

    /// <summary>Inputs that one selection reaches; the largest group.</summary>
    static abstract int Window { get; }

    /// <summary>
    /// True where <see cref="LoadInput"/> reads a full window of inputs: then cells smaller than half a window are
    /// merged into one, and the driver keeps the load inside the buffer.
    /// </summary>
    static abstract bool LoadsFullWindow { get; }

    /// <summary>Slots of each lane that one step consumes.</summary>
    static abstract int SlotsPerStep { get; }

    /// <summary>Bytes of an input and of a stored weight.</summary>
    static abstract int ElementBytes { get; }

    /// <summary>Pixels of the widest register tile.</summary>
    static abstract int TilePixels { get; }

    static abstract TInput LoadInput(byte* window);

    /// <param name="weights">[Lanes, SlotsPerStep] stored weights.</param>
    static abstract TWeights LoadWeights(byte* weights);

    /// <param name="owners">[Lanes, SlotsPerStep] bytes, each below <see cref="Window"/>.</param>
    static abstract TOwners LoadOwners(byte* owners);

    static abstract TAcc MultiplyAdd(TAcc sum, TInput input, TOwners owners, TWeights weights);

    static abstract TAcc Add(TAcc left, TAcc right);

    /// <summary>[Lanes] 32-bit numbers, float or int.</summary>
    static abstract TAcc LoadSums(void* source);

    static abstract void StoreSums(void* target, TAcc sums);
}

/// <summary>What floating-point lanes need to finish a tile.</summary>
internal interface IFloat32LaneOperations<TInput, TWeights, TOwners, TAcc> : ILaneOperations<TInput, TWeights, TOwners, TAcc>
    where TAcc : unmanaged
{
    /// <summary>min(max(x, lowest), highest) that keeps NaN.</summary>
    static abstract TAcc Clamp(TAcc sums, float lowest, float highest);
}

/// <summary>What integer lanes need to finish a tile.</summary>
internal unsafe interface IQuantizedLaneOperations<TInput, TWeights, TOwners, TAcc> : ILaneOperations<TInput, TWeights, TOwners, TAcc>
    where TAcc : unmanaged
{
    /// <summary>Stores [Lanes] bytes: round_half_to_even(clamp(sum · factor, lowest, highest)) + zeroPoint.</summary>
    static abstract void Requantize(TAcc sums, float* factors, float lowest, float highest, byte zeroPoint, byte* target);
}
