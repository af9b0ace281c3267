namespace Dovetail.Accelerator.Cost;

/// <summary>
/// What happened in the array and at its buffers. Both simulators fill it; they agree in every field.
/// Words of the buffers: an activation, a weight, an owner, a partial sum.
/// </summary>
public sealed record EventCounts
{
    public long Folds { get; init; }

    /// <summary>Number of the last cycle, counted from 0 as SCALE-Sim counts: one less than the cycles of all folds.</summary>
    public long Cycles { get; init; }

    /// <summary>Multiply-accumulates of PEs that hold a slot, padding slots included.</summary>
    public long Macs { get; init; }

    /// <summary>Multiply-accumulates with an owner; on a dense array all of the layer's.</summary>
    public long UsefulMacs { get; init; }

    /// <summary>Activations read from the input buffer; each array row reads its own lanes, padding pixels included.</summary>
    public long IfmapReads { get; init; }

    /// <summary>Weights read from the weight buffer.</summary>
    public long FilterReads { get; init; }

    /// <summary>Owners read from the weight buffer; outputs of a fold that share owners read them once.</summary>
    public long OwnerReads { get; init; }

    /// <summary>Partial sums written to the output buffer.</summary>
    public long OfmapWrites { get; init; }

    /// <summary>Partial sums read back to be accumulated onto; SCALE-Sim does not count them.</summary>
    public long OfmapReads { get; init; }

    /// <summary>Activations written to lane registers (dense: to the activation registers of PEs).</summary>
    public long LaneWrites { get; init; }

    /// <summary>Activations written to the registers behind the selectors.</summary>
    public long OperandWrites { get; init; }

    /// <summary>Partial sums written to the registers of PEs.</summary>
    public long PartialSumWrites { get; init; }

    /// <summary>Stationary operands (a weight with its owner) written while they shift in.</summary>
    public long StationaryWrites { get; init; }

    public static EventCounts operator +(EventCounts a, EventCounts b) => new()
    {
        Folds = a.Folds + b.Folds,
        Cycles = a.Cycles + b.Cycles,
        Macs = a.Macs + b.Macs,
        UsefulMacs = a.UsefulMacs + b.UsefulMacs,
        IfmapReads = a.IfmapReads + b.IfmapReads,
        FilterReads = a.FilterReads + b.FilterReads,
        OwnerReads = a.OwnerReads + b.OwnerReads,
        OfmapWrites = a.OfmapWrites + b.OfmapWrites,
        OfmapReads = a.OfmapReads + b.OfmapReads,
        LaneWrites = a.LaneWrites + b.LaneWrites,
        OperandWrites = a.OperandWrites + b.OperandWrites,
        PartialSumWrites = a.PartialSumWrites + b.PartialSumWrites,
        StationaryWrites = a.StationaryWrites + b.StationaryWrites,
    };
}
