namespace Dovetail.Kernels.Broadcast;

/// <summary>
/// The few instructions in which the broadcast kernels differ: a vector of floats, a pixel a lane, made of blocks of four.
/// </summary>
internal unsafe interface IPixelLanes<TVector>
    where TVector : unmanaged
{
    static abstract int Lanes { get; }

    static abstract TVector Load(float* source);

    static abstract void Store(float* target, TVector values);

    static abstract TVector Broadcast(float value);

    /// <summary>left · right + sum, rounded once where the machine can.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector sum);

    static abstract TVector Add(TVector left, TVector right);

    /// <summary>min(max(x, lowest), highest) that keeps NaN.</summary>
    static abstract TVector Clamp(TVector values, TVector lowest, TVector highest);

    /// <summary>
    /// Turns a square: target[column · stride + row] = rows[row][offset + column], <see cref="Lanes"/> rows and columns.
    /// </summary>
    static abstract void TurnSquare(float** rows, nint offset, float* target, nint stride);

    /// <summary>[Lanes] bytes as floats.</summary>
    static abstract TVector LoadBytes(byte* source);

    /// <summary>The bits of int32 totals plus whole numbers in float.</summary>
    static abstract TVector AddWholeNumbers(TVector totals, TVector wholeNumbers);

    /// <summary>The bits of the sum of two vectors of int32.</summary>
    static abstract TVector AddIntegers(TVector left, TVector right);

    /// <summary>Stores [Lanes] bytes: round_half_to_even(clamp(int32 sum · factor, lowest, highest)) + zeroPoint.</summary>
    static abstract void Requantize(TVector sums, float* factors, float lowest, float highest, byte zeroPoint, byte* target);
}
