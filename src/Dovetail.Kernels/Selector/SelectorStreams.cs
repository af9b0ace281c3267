using System.Diagnostics;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Kernels.Selector;

/// <summary>
/// Packed weights re-tiled for a selector kernel. Made at load, never written to a file.
/// 1. Outputs of a convolution group are cut into vectors of Lanes; lanes past the last output have weight 0.
/// 2. Neighbouring cells of a tap are merged while they fit one window of inputs: 1:4 in a window of 16 is 4 slots
///    with owners 0–3, 4–7, 8–11 and 12–15. Windows start cellsPerWindow·group channels apart.
/// 3. The slots of a window are taken SlotsPerStep at a time; what is missing to a full step has weight 0.
/// 4. Where a load of the full window would end behind the tap's channels, the window starts earlier and its
///    owners grow by as much. With fewer channels than a window there is one window, and the driver sees to it
///    that the load stays inside memory (<see cref="SelectorLayer{T,TOps,TInput,TWeights,TOwners,TAcc,TStore}"/>).
/// 5. The streams of two neighbouring vectors are interleaved by step, so that a block of outputs reads both in order.
/// Unused slots select a candidate that exists, never memory behind the row.
/// </summary>
internal sealed class SelectorStreams : IDisposable
{
    private const int VectorsPerBlock = 2;

    private SelectorStreams(
        StreamShape shape, int vectorsPerGroup, int weightVectorBytes, int ownerVectorBytes, AlignedBuffer weights, AlignedBuffer owners)
    {
        (Shape, VectorsPerGroup) = (shape, vectorsPerGroup);
        (WeightVectorBytes, OwnerVectorBytes) = (weightVectorBytes, ownerVectorBytes);
        (Weights, Owners) = (weights, owners);
    }

    public StreamShape Shape { get; }

    /// <summary>Vectors of outputs in one convolution group.</summary>
    public int VectorsPerGroup { get; }

    public int BlocksPerGroup => (VectorsPerGroup + VectorsPerBlock - 1) / VectorsPerBlock;

    /// <summary>Bytes of one vector of outputs in the weight stream.</summary>
    public int WeightVectorBytes { get; }

    /// <summary>Bytes of one vector of outputs in the owner stream.</summary>
    public int OwnerVectorBytes { get; }

    public AlignedBuffer Weights { get; }

    public AlignedBuffer Owners { get; }

    public int VectorsOf(int block) => Math.Min(VectorsPerBlock, VectorsPerGroup - block * VectorsPerBlock);

    public static bool Accepts(CellLayout layout, int window) =>
        layout.Pattern is { Axis: CellAxis.Input, Arrangement: Arrangement.Contiguous } && layout.Pattern.Group <= window;

    public static unsafe SelectorStreams Create<T>(PackedTensor<T> packed, LaneFormat format)
        where T : unmanaged
    {
        CellLayout layout = packed.Layout;
        WeightShape shape = layout.Shape;
        Debug.Assert(Accepts(layout, format.Window) && sizeof(T) == format.ElementBytes);
        int group = layout.Pattern.Group, keep = layout.Pattern.Keep, share = layout.Pattern.Share;
        int cells = (shape.Channels + group - 1) / group;
        int cellsPerWindow = format.LoadsFullWindow ? Math.Min(format.Window / group, cells) : 1;
        int windows = (cells + cellsPerWindow - 1) / cellsPerWindow;
        int steps = (cellsPerWindow * keep + format.SlotsPerStep - 1) / format.SlotsPerStep;
        int stride = cellsPerWindow * group;
        int last = (windows - 1) * stride;
        if (format.LoadsFullWindow)
            last = Math.Min(last, Math.Max(0, shape.Channels - format.Window));
        var stream = new StreamShape(shape.Taps, windows, steps, (nint)stride * sizeof(T), (nint)last * sizeof(T));

        int perGroup = shape.OutputsPerGroup, vectorsPerGroup = (perGroup + format.Lanes - 1) / format.Lanes;
        int runsPerGroup = (perGroup + share - 1) / share;
        int stepElements = format.Lanes * format.SlotsPerStep;
        int vectorElements = checked(shape.Taps * windows * steps * stepElements);
        nuint elements = checked((nuint)shape.Groups * (nuint)vectorsPerGroup * (nuint)vectorElements);
        var weights = new AlignedBuffer(elements * (nuint)sizeof(T));
        var owners = new AlignedBuffer(elements);
        var weightTarget = (T*)weights.Pointer;
        byte* ownerTarget = owners.Pointer;
        for (int m = 0; m < shape.Outputs; m++)
        {
            (int convolutionGroup, int inGroup) = Math.DivRem(m, perGroup);
            (int vector, int lane) = Math.DivRem(inGroup, format.Lanes);
            int block = vector / VectorsPerBlock, inBlock = vector % VectorsPerBlock;
            int blockVectors = Math.Min(VectorsPerBlock, vectorsPerGroup - block * VectorsPerBlock);
            nint blockStart = ((nint)convolutionGroup * vectorsPerGroup + block * VectorsPerBlock) * vectorElements;
            int run = convolutionGroup * runsPerGroup + inGroup / share;
            ReadOnlySpan<T> rowValues = packed.Values.AsSpan(m * layout.ValueColumns, layout.ValueColumns);
            ReadOnlySpan<byte> rowOwners = packed.Owners.AsSpan(run * layout.OwnerColumns, layout.OwnerColumns);
            for (int tap = 0; tap < shape.Taps; tap++)
                for (int cell = 0; cell < cells; cell++)
                {
                    (int window, int cellInWindow) = Math.DivRem(cell, cellsPerWindow);
                    int shift = cellInWindow * group + window * stride - Math.Min(window * stride, last);
                    int source = (tap * cells + cell) * keep;
                    for (int slot = 0; slot < keep; slot++)
                    {
                        (int step, int slotInStep) = Math.DivRem(cellInWindow * keep + slot, format.SlotsPerStep);
                        nint at = blockStart
                            + ((((nint)tap * windows + window) * steps + step) * blockVectors + inBlock) * stepElements
                            + lane * format.SlotsPerStep + slotInStep;
                        weightTarget[at] = rowValues[source + slot];
                        int owner = rowOwners[source + slot] + shift;
                        Debug.Assert(owner < format.Window);
                        ownerTarget[at] = (byte)owner;
                    }
                }
        }

        return new SelectorStreams(stream, vectorsPerGroup, vectorElements * sizeof(T), vectorElements, weights, owners);
    }

    public void Dispose()
    {
        Weights.Dispose();
        Owners.Dispose();
    }
}

/// <summary>The constants of <see cref="ILaneOperations{TInput,TWeights,TOwners,TAcc}"/> as values.</summary>
internal readonly record struct LaneFormat(int Lanes, int Window, bool LoadsFullWindow, int SlotsPerStep, int ElementBytes)
{
    public static LaneFormat Of<TOps, TInput, TWeights, TOwners, TAcc>()
        where TOps : struct, ILaneOperations<TInput, TWeights, TOwners, TAcc>
        where TAcc : unmanaged =>
        new(TOps.Lanes, TOps.Window, TOps.LoadsFullWindow, TOps.SlotsPerStep, TOps.ElementBytes);
}
