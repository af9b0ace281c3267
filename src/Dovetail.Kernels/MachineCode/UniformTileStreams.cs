using System.Diagnostics;
using Dovetail.Kernels.Selector;

namespace Dovetail.Kernels.MachineCode;

/// <summary>
/// Streams of cells that fit a window, the same number of steps in each: weights as <see cref="SelectorStreams"/> lays them out, owners
/// interleaved.
/// 1. A selector looks at the low bits of each index only, and an index has as many bytes as the element that it
///    selects: n = 4 for fp32, 2 for bfloat16, 1 for int8.
/// 2. So n vectors of owners are stored in the bytes of one vector: owner j of a lane is byte j of the lane's index.
///    Loading from j bytes further brings owner j to the low bits: no instruction widens or shifts anything, and an
///    owner takes one byte.
/// 3. Such a group spans the steps of one or more windows (<see cref="WindowsPerGroup(int)"/>). Windows that are left over
///    at the end of a tap have groups of their own, padded.
/// </summary>
internal sealed class UniformTileStreams : TileStreams
{
    private const int VectorBytes = 64;

    private readonly SelectorStreams _streams;
    private readonly AlignedBuffer _owners;
    private readonly AlignedBuffer? _narrowWeights;
    private readonly int _lanes;
    private readonly int _ownersPerIndex;

    public unsafe UniformTileStreams(
        SelectorStreams streams, LaneFormat format, int convolutionGroups, WeightStorage storage = WeightStorage.AsMultiplied)
        : base(streams.Shape, streams.VectorsPerGroup, TileEmitter.MaxVectors)
    {
        (_streams, _lanes, _ownersPerIndex) = (streams, format.Lanes * format.SlotsPerStep, format.ElementBytes);
        Debug.Assert(_lanes * _ownersPerIndex == VectorBytes);
        GroupOwnerBytes = 0;
        for (int block = 0; block < streams.BlocksPerGroup; block++)
            GroupOwnerBytes += BlockOwnerBytes(streams.VectorsOf(block));
        _owners = new AlignedBuffer((nuint)convolutionGroups * (nuint)GroupOwnerBytes + VectorBytes); // loads reach n − 1 bytes further
        byte* source = streams.Owners.Pointer, target = _owners.Pointer;
        for (int group = 0; group < convolutionGroups; group++)
            for (int block = 0; block < streams.BlocksPerGroup; block++)
            {
                int vectors = streams.VectorsOf(block);
                for (int tap = 0; tap < Shape.Taps; tap++)
                    for (int window = 0; window < Shape.Windows;)
                    {
                        int windows = Shape.Windows - window >= WindowsPerGroup(vectors) ? WindowsPerGroup(vectors) : 1;
                        int steps = windows * Shape.Steps * vectors;
                        for (int step = 0; step < steps; step++, source += _lanes)
                            for (int lane = 0; lane < _lanes; lane++)
                                target[OwnerOffset(step) + lane * _ownersPerIndex] = source[lane];
                        target += OwnerBytes(steps);
                        window += windows;
                    }
            }

        streams.Owners.Dispose();
        Storage = storage;
        if (storage == WeightStorage.AsMultiplied)
            return;
        _narrowWeights = NarrowWeights.Narrow(streams, convolutionGroups, storage);
        streams.Weights.Dispose();
    }

    public override WeightStorage Storage { get; }

    private int GroupOwnerBytes { get; }

    /// <summary>Windows whose steps fill whole groups of owners.</summary>
    private int WindowsPerGroup(int vectors) => WindowsPerGroup(_ownersPerIndex, Shape.Steps * vectors);

    /// <summary>The fewest windows whose vectors of owners, <paramref name="steps"/> each, fill whole groups of
    /// <paramref name="ownersPerIndex"/>. </summary>
    public static int WindowsPerGroup(int ownersPerIndex, int steps)
    {
        int windows = 1;
        while (windows * steps % ownersPerIndex != 0)
            windows++;
        return windows;
    }

    /// <summary>Bytes of the groups that hold <paramref name="steps"/> vectors of owners.</summary>
    public static int OwnerBytes(int ownersPerIndex, int steps) => (steps + ownersPerIndex - 1) / ownersPerIndex * VectorBytes;

    public override unsafe byte* WeightsOf(int convolutionGroup, int block)
    {
        nint at = ((nint)convolutionGroup * _streams.VectorsPerGroup + block * VectorsPerBlock) * _streams.WeightVectorBytes;
        return _narrowWeights is { } narrow ? narrow.Pointer + at / 2 : _streams.Weights.Pointer + at;
    }

    public override unsafe byte* OwnersOf(int convolutionGroup, int block) =>
        _owners.Pointer + (nint)convolutionGroup * GroupOwnerBytes + (nint)block * BlockOwnerBytes(VectorsPerBlock);

    public override void Dispose()
    {
        _streams.Dispose();
        _owners.Dispose();
        _narrowWeights?.Dispose();
    }

    private int BlockOwnerBytes(int vectors)
    {
        (int groups, int rest) = Math.DivRem(Shape.Windows, WindowsPerGroup(vectors));
        return Shape.Taps * (
            groups * OwnerBytes(WindowsPerGroup(vectors) * Shape.Steps * vectors) + rest * OwnerBytes(Shape.Steps * vectors));
    }

    private int OwnerOffset(int step) => step / _ownersPerIndex * VectorBytes + step % _ownersPerIndex;

    private int OwnerBytes(int steps) => OwnerBytes(_ownersPerIndex, steps);
}
