using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Accelerator.Mapping;
using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Simulation;

/// <summary>
/// All counts of a layer without simulating it. P pixels, N outputs and K inputs a convolution group,
/// s slots of an output (K on a dense array), an array of R × C with q clusters in a row, S cycles of selection.
/// 1. Weight-stationary: ⌈s/R⌉·⌈N/C⌉ folds. A fold loads in R cycles and streams in
///    T = P + R − 1 + q − 1 + S. Serial folds take R + T each; overlapped ones take R once and T each,
///    because T ≥ R. SCALE-Sim reports the number of the last cycle: one less.
/// 2. Every pixel enters every used array row of every fold: the row reads its cell's candidates,
///    s·candidates = taps·keep·channels in all, for each of the ⌈N/C⌉ column folds. Weights are read once.
///    Each slot fold writes P·N sums; all but the first read them back.
/// 3. Input-stationary is the same with pixels and outputs swapped (dense: q = C, S = 0).
/// 4. Output-stationary: ⌈P/R⌉·⌈N/C⌉ folds of R + C + K − 2 cycles; inputs are read for each column fold,
///    weights for each row fold, and every output is written once. (SCALE-Sim reports 2·C more writes a
///    fold than there are outputs; they are not counted here.)
/// Convolution groups are products of their own, one after the other.
/// Source: Samajdar et al., "A systematic methodology for characterizing scalability of DNN accelerators
/// using SCALE-Sim", ISPASS 2020; checked against the tool's counts in the tests.
/// </summary>
public static class ClosedForm
{
    /// <summary>A layer of which only the shape is known; see <see cref="LayerMapping.Of(ArrayConfig, LayerWorkload)"/> for its
    /// pattern.</summary>
    public static LayerCounts Simulate(ArrayConfig config, LayerWorkload workload, FoldSchedule schedule = FoldSchedule.Serial) =>
        Simulate(LayerMapping.Of(config, workload), schedule);

    public static LayerCounts Simulate(ArrayConfig config, GemmShape shape, FoldSchedule schedule = FoldSchedule.Serial)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return Simulate(config, new LayerWorkload("gemm", "Gemm", shape.Outputs, shape.Pixels, shape.Inputs), schedule);
    }

    /// <summary>A layer with its weights: their pattern, or dense on a dense array.</summary>
    public static LayerCounts Simulate(ArrayConfig config, PackedLayer layer, FoldSchedule schedule = FoldSchedule.Serial)
    {
        LayerMapping mapping = LayerMapping.Of(config, layer);
        return Simulate(mapping, schedule) with { SlotFill = SlotFill(mapping, layer) };
    }

    /// <summary>The share of a layer's slots, padding aside, that hold a weight other than zero.</summary>
    internal static double SlotFill(LayerMapping mapping, PackedLayer layer) =>
        layer.Weights.CountNonZeros() / ((double)UsefulSlots(mapping) * mapping.Layout.Shape.Outputs);

    public static LayerCounts Simulate(LayerMapping mapping, FoldSchedule schedule = FoldSchedule.Serial)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        EventCounts events = mapping.Config.Dataflow switch
        {
            Dataflow.OutputStationary => OutputStationary(mapping),
            Dataflow.InputStationary => InputStationary(mapping, schedule),
            _ => WeightStationary(mapping, schedule),
        };
        return new LayerCounts(
            mapping.Workload.Name, mapping.Config, schedule, mapping.Shape, mapping.Pattern,
            events, ClosedFormDram.Of(mapping, events));
    }

    private static EventCounts WeightStationary(LayerMapping mapping, FoldSchedule schedule)
    {
        ArrayConfig config = mapping.Config;
        long pixels = mapping.Pixels, slots = mapping.Slots, outputs = mapping.OutputsPerGroup, groups = mapping.Groups;
        long usefulSlots = UsefulSlots(mapping);
        long candidates = (long)mapping.Layout.Shape.Inputs * mapping.Pattern.Keep;
        long owners = 0;
        if (mapping.Pattern.IndexBits > 0)
            for (int first = 0; first < outputs; first += config.Columns)
                owners += mapping.OwnersAcross(first, (int)Math.Min(config.Columns, outputs - first));
        return new EventCounts
        {
            Folds = mapping.FoldCount,
            Cycles = TotalCycles(config.Rows, config.StreamCycles(mapping.Pixels), mapping.FoldCount, schedule),
            Macs = groups * pixels * slots * outputs,
            UsefulMacs = groups * pixels * usefulSlots * outputs,
            IfmapReads = groups * pixels * candidates * mapping.OutputFolds,
            FilterReads = groups * slots * outputs,
            OwnerReads = groups * slots * owners,
            OfmapWrites = groups * pixels * outputs * mapping.SlotFolds,
            OfmapReads = groups * pixels * outputs * (mapping.SlotFolds - 1),
            LaneWrites = groups * pixels * slots * config.Lanes * config.Clusters * mapping.OutputFolds,
            OperandWrites = config.RegisteredSelection ? groups * pixels * slots * outputs : 0,
            PartialSumWrites = groups * pixels * config.Rows * outputs * mapping.SlotFolds,
            StationaryWrites = groups * ShiftWrites(slots, config.Rows) * outputs,
        };
    }

    private static long UsefulSlots(LayerMapping mapping)
    {
        // A cell has at least one candidate; only with more slots can some of them be padding.
        if (mapping.Pattern.Keep == 1)
            return mapping.Slots;
        int taps = mapping.Layout.Shape.Taps;
        long ofTap = 0;
        for (int cell = 0; cell < mapping.Layout.CellsPerRow / taps; cell++)
            ofTap += mapping.Layout.UsedSlots(cell);
        return taps * ofTap;
    }

    private static EventCounts InputStationary(LayerMapping mapping, FoldSchedule schedule)
    {
        ArrayConfig config = mapping.Config;
        long pixels = mapping.Pixels, inputs = mapping.Slots, outputs = mapping.OutputsPerGroup, groups = mapping.Groups;
        long inputFolds = mapping.SlotFolds, pixelFolds = CeilDiv(pixels, config.Columns), folds = groups * inputFolds * pixelFolds;
        long macs = groups * pixels * inputs * outputs;
        return new EventCounts
        {
            Folds = folds,
            Cycles = TotalCycles(config.Rows, config.StreamCycles(mapping.OutputsPerGroup), folds, schedule),
            Macs = macs,
            UsefulMacs = macs,
            IfmapReads = groups * pixels * inputs,
            FilterReads = groups * inputs * outputs * pixelFolds,
            OfmapWrites = groups * pixels * outputs * inputFolds,
            OfmapReads = groups * pixels * outputs * (inputFolds - 1),
            LaneWrites = groups * outputs * inputs * config.Clusters * pixelFolds,
            OperandWrites = config.RegisteredSelection ? macs : 0,
            PartialSumWrites = groups * outputs * config.Rows * pixels * inputFolds,
            StationaryWrites = groups * ShiftWrites(inputs, config.Rows) * pixels,
        };
    }

    private static EventCounts OutputStationary(LayerMapping mapping)
    {
        ArrayConfig config = mapping.Config;
        long pixels = mapping.Pixels, inputs = mapping.Slots, outputs = mapping.OutputsPerGroup, groups = mapping.Groups;
        long pixelFolds = CeilDiv(pixels, config.Rows), outputFolds = mapping.OutputFolds, folds = groups * pixelFolds * outputFolds;
        long macs = groups * pixels * inputs * outputs;
        return new EventCounts
        {
            Folds = folds,
            // The stream moves like a weight-stationary one in which inputs take the place of pixels.
            Cycles = folds * config.StreamCycles(mapping.Slots) - 1,
            Macs = macs,
            UsefulMacs = macs,
            IfmapReads = groups * pixels * inputs * outputFolds,
            FilterReads = groups * inputs * outputs * pixelFolds,
            OfmapWrites = groups * pixels * outputs,
            // Activations cross all clusters of their row, weights all rows of their column; sums stay,
            // then shift out of the column.
            LaneWrites = groups * inputs * pixels * config.Clusters * outputFolds,
            OperandWrites = config.RegisteredSelection ? macs : 0,
            StationaryWrites = groups * inputs * outputs * config.Rows * pixelFolds,
            PartialSumWrites = macs + groups * ShiftWrites(pixels, config.Rows) * outputs,
        };
    }

    private static long TotalCycles(long load, long stream, long folds, FoldSchedule schedule) =>
        schedule == FoldSchedule.Serial ? folds * (load + stream) - 1 : load + folds * stream - 1;

    /// <summary>Register writes of one column while its operands shift to their rows: row r's takes r + 1.</summary>
    private static long ShiftWrites(long operands, long rows)
    {
        (long full, long rest) = Math.DivRem(operands, rows);
        return full * (rows * (rows + 1) / 2) + rest * (rest + 1) / 2;
    }

    private static long CeilDiv(long a, long b) => (a + b - 1) / b;
}
