using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Accelerator.Mapping;

namespace Dovetail.Accelerator.Simulation;

/// <summary>
/// DRAM bytes of a layer. Every buffer is double-buffered: half of it is filled while the other half serves
/// the array. Counted in bits, rounded up to bytes once a layer.
/// 1. The input of a convolution group (H·W·channels, not its im2col) is read once where it fits into half
///    the input buffer. Otherwise every fold reads the maps of the channels that it touches.
/// 2. Weights are stationary, so each is read once: value and owner bits as they lie in the weight buffer.
/// 3. A fold's partial sums (P × its columns × accumulator bits) stay in half the output buffer if they
///    fit; otherwise every slot fold but the last writes them out and the next reads them back. Finished
///    outputs leave with the width of an activation.
/// 4. Input-stationary: each input is stationary once; weights are read once if a group's fit into half the
///    weight buffer, else for each pixel fold; partial sums as in 3 with pixels and outputs swapped.
/// 5. Output-stationary: weights as in 4; inputs once if a group's fit or if the window of one pixel fold
///    does, else for each output fold; no partial sums leave.
/// </summary>
internal static class ClosedFormDram
{
    public static DramTraffic Of(LayerMapping mapping, EventCounts events)
    {
        ArrayConfig config = mapping.Config;
        long groups = mapping.Groups, pixels = mapping.Pixels, outputs = mapping.OutputsPerGroup, inputs = mapping.Slots;
        long finished = groups * pixels * outputs * config.ActivationBits;
        long weights = outputs * inputs * config.WeightBits;
        switch (config.Dataflow)
        {
            case Dataflow.OutputStationary:
                long window = Math.Min(config.Rows, pixels) * inputs * config.ActivationBits;
                bool inputsStay = FitsHalf(InputBits(mapping), config.IfmapSramBytes) || FitsHalf(window, config.IfmapSramBytes);
                return Traffic(
                    groups * InputBits(mapping) * (inputsStay ? 1 : mapping.OutputFolds),
                    RefetchedWeights(CeilDiv(pixels, config.Rows)), finished);
            case Dataflow.InputStationary:
                return Traffic(
                    groups * InputBits(mapping), RefetchedWeights(CeilDiv(pixels, config.Columns)),
                    finished + groups * Spills(config, pixels, outputs, mapping.SlotFolds));
            default:
                return Traffic(
                    groups * WeightStationaryInput(mapping),
                    events.FilterReads * config.WeightBits + events.OwnerReads * mapping.Pattern.IndexBits,
                    finished + groups * Spills(config, outputs, pixels, mapping.SlotFolds));
        }

        long RefetchedWeights(long times) => groups * weights * (FitsHalf(weights, config.FilterSramBytes) ? 1 : times);
    }

    public static DramTraffic Traffic(long ifmapBits, long filterBits, long ofmapBits) =>
        new(CeilDiv(ifmapBits, 8), CeilDiv(filterBits, 8), CeilDiv(ofmapBits, 8));

    /// <summary>True where so many bits fit into the half of a buffer that serves the array.</summary>
    public static bool FitsHalf(long bits, int sramBytes) => bits <= 8L * (sramBytes / 2);

    /// <summary>Positions of the input map, H·W; tokens for a matrix product.</summary>
    public static long MapSize(LayerMapping mapping) =>
        mapping.Workload.Convolution is { } geometry ? (long)geometry.InputHeight * geometry.InputWidth : mapping.Pixels;

    /// <summary>Bits of one convolution group's input.</summary>
    public static long InputBits(LayerMapping mapping) =>
        LaneGather.InputLength(mapping) / mapping.Groups * mapping.Config.ActivationBits;

    private static long WeightStationaryInput(LayerMapping mapping)
    {
        if (FitsHalf(InputBits(mapping), mapping.Config.IfmapSramBytes))
            return InputBits(mapping);
        // Channels repeat from tap to tap; those of one tap's cells are disjoint.
        int cellsPerTap = mapping.Layout.CellsPerRow / mapping.Layout.Shape.Taps;
        long channels = 0;
        for (int first = 0; first < mapping.Slots; first += mapping.Config.Rows)
        {
            int firstCell = first / mapping.Pattern.Keep;
            int lastCell = (Math.Min(first + mapping.Config.Rows, mapping.Slots) - 1) / mapping.Pattern.Keep;
            int cells = Math.Min(lastCell - firstCell + 1, cellsPerTap);
            if (mapping.Pattern.Group == 1)
                channels += cells;
            else
                for (int cell = firstCell; cell < firstCell + cells; cell++)
                    channels += mapping.Layout.CandidateCount(cell % cellsPerTap);
        }

        return channels * MapSize(mapping) * mapping.Config.ActivationBits * mapping.OutputFolds;
    }

    /// <summary>Bits of partial sums that leave and come back for one convolution group; <paramref name="stationary"/> lies on the
    /// columns.</summary>
    private static long Spills(ArrayConfig config, long stationary, long streamed, long slotFolds)
    {
        (long full, long rest) = Math.DivRem(stationary, config.Columns);
        return full * SpillsOfFold(config.Columns) + SpillsOfFold(rest);

        long SpillsOfFold(long columns)
        {
            long bits = streamed * columns * config.AccumulatorBits;
            return FitsHalf(bits, config.OfmapSramBytes) ? 0 : 2 * (slotFolds - 1) * bits;
        }
    }

    private static long CeilDiv(long a, long b) => (a + b - 1) / b;
}
