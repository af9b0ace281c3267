using Dovetail.Accelerator.Cost;

namespace Dovetail.Accelerator.Simulation;

/// <summary>Events as the cycle-by-cycle simulator meets them.</summary>
internal sealed class EventCounter
{
    public long Folds;
    public long Cycles;
    public long Macs;
    public long UsefulMacs;
    public long IfmapReads;
    public long FilterReads;
    public long OwnerReads;
    public long OfmapWrites;
    public long OfmapReads;
    public long LaneWrites;
    public long OperandWrites;
    public long PartialSumWrites;
    public long StationaryWrites;

    /// <summary>Cycles become the number of the last one.</summary>
    public EventCounts ToCounts() => new()
    {
        Folds = Folds,
        Cycles = Cycles - 1,
        Macs = Macs,
        UsefulMacs = UsefulMacs,
        IfmapReads = IfmapReads,
        FilterReads = FilterReads,
        OwnerReads = OwnerReads,
        OfmapWrites = OfmapWrites,
        OfmapReads = OfmapReads,
        LaneWrites = LaneWrites,
        OperandWrites = OperandWrites,
        PartialSumWrites = PartialSumWrites,
        StationaryWrites = StationaryWrites,
    };
}
