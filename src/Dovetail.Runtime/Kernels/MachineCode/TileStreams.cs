using System.Diagnostics;
using Dovetail.Runtime.Kernels.Simd;

namespace Dovetail.Runtime.Kernels.MachineCode;

/// <summary>
/// The streams that emitted tiles read: weights as <see cref="SelectorStreams"/> lays them out, owners interleaved.
/// 1. A selector looks at the low bits of each index only, and an index has as many bytes as the element that it
///    selects: n = 4 for fp32, 2 for bfloat16, 1 for int8.
/// 2. So n vectors of owners are stored in the bytes of one vector: owner j of a lane is byte j of the lane's index.
///    Loading from j bytes further brings owner j to the low bits: no instruction widens or shifts anything, and an
///    owner takes one byte.
/// 3. Such a group spans the steps of one or more windows (<see cref="WindowsPerGroup(int)"/>). Windows that are left over
///    at the end of a tap have groups of their own, padded.
/// </summary>
internal sealed class TileStreams : IDisposable
{
    private const int VectorBytes = 64, VectorsPerBlock = TileEmitter.MaxVectors;

    private readonly SelectorStreams _streams;
    private readonly AlignedBuffer _owners;
    private readonly int _lanes;
    private readonly int _ownersPerIndex;
    private readonly int _weightBytesOfStep;

    public unsafe TileStreams(SelectorStreams streams, LaneFormat format, int convolutionGroups)
    {
        (_streams, _lanes, _ownersPerIndex) = (streams, format.Lanes * format.SlotsPerStep, format.ElementBytes);
        Debug.Assert(_lanes * _ownersPerIndex == VectorBytes);
        _weightBytesOfStep = _lanes * format.ElementBytes;
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
    }

    public StreamShape Shape => _streams.Shape;

    public int BlocksPerGroup => _streams.BlocksPerGroup;

    private int GroupOwnerBytes { get; }

    public int VectorsOf(int block) => _streams.VectorsOf(block);

    /// <summary>Windows whose steps fill whole groups of owners.</summary>
    public int WindowsPerGroup(int vectors) => WindowsPerGroup(_ownersPerIndex, Shape.Steps * vectors);

    /// <summary>The fewest windows whose vectors of owners, <paramref name="steps"/> each, fill whole groups of <paramref name="ownersPerIndex"/>.</summary>
    public static int WindowsPerGroup(int ownersPerIndex, int steps)
    {
        int windows = 1;
        while (windows * steps % ownersPerIndex != 0)
            windows++;
        return windows;
    }

    /// <summary>Bytes of the groups that hold <paramref name="steps"/> vectors of owners.</summary>
    public static int OwnerBytes(int ownersPerIndex, int steps) => (steps + ownersPerIndex - 1) / ownersPerIndex * VectorBytes;

    /// <summary>The weights of a block, behind those of <paramref name="windows"/> windows (counted through all taps).</summary>
    public unsafe byte* WeightsOf(int convolutionGroup, int block, int windows)
    {
        long firstVector = (long)convolutionGroup * _streams.VectorsPerGroup + block * VectorsPerBlock;
        return _streams.Weights.Pointer + firstVector * _streams.WeightVectorBytes + (nint)WeightBytes(VectorsOf(block), windows);
    }

    /// <summary>The owners of a block from a window of a tap on; where that is not the first, a multiple of <see cref="WindowsPerGroup(int)"/>.</summary>
    public unsafe byte* OwnersOf(int convolutionGroup, int block, int tap, int window)
    {
        int vectors = VectorsOf(block);
        nint before = (nint)convolutionGroup * GroupOwnerBytes + (nint)block * BlockOwnerBytes(VectorsPerBlock);
        return _owners.Pointer + before + (nint)tap * OwnerBytesOfWindows(vectors, Shape.Windows) + OwnerBytesOfWindows(vectors, window);
    }

    public int WeightBytes(int vectors, int windows) => windows * Shape.Steps * vectors * _weightBytesOfStep;

    public int BlockOwnerBytes(int vectors) => Shape.Taps * OwnerBytesOfWindows(vectors, Shape.Windows);

    /// <summary>Bytes of owners of the first <paramref name="windows"/> windows of a tap.</summary>
    public int OwnerBytesOfWindows(int vectors, int windows)
    {
        (int groups, int rest) = Math.DivRem(windows, WindowsPerGroup(vectors));
        return groups * OwnerBytes(WindowsPerGroup(vectors) * Shape.Steps * vectors) + rest * OwnerBytes(Shape.Steps * vectors);
    }

    /// <summary>Bytes of owners of some windows of some taps; with more than one tap, of all windows.</summary>
    public int ChunkOwnerBytes(int vectors, int taps, int window, int windows) =>
        taps * (OwnerBytesOfWindows(vectors, window + windows) - OwnerBytesOfWindows(vectors, window));

    public void Dispose()
    {
        _streams.Dispose();
        _owners.Dispose();
    }

    private int OwnerOffset(int step) => step / _ownersPerIndex * VectorBytes + step % _ownersPerIndex;

    private int OwnerBytes(int steps) => OwnerBytes(_ownersPerIndex, steps);
}
