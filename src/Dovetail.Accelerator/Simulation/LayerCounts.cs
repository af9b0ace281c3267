using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Accelerator.Mapping;
using Dovetail.Core.Patterns;

namespace Dovetail.Accelerator.Simulation;

/// <summary>A layer on an array: what a row of <c>dovetail simulate</c> shows.</summary>
/// <param name="Shape">m, n, k of the JSON: pixels, outputs, inputs of one output.</param>
/// <param name="Pattern">The pattern that was executed; "1:1" on a dense array.</param>
public sealed record LayerCounts(
    string Name, ArrayConfig Config, FoldSchedule Schedule, GemmShape Shape, ComplementaryPattern Pattern,
    EventCounts Events, DramTraffic Dram)
{
    /// <summary>The number of the last cycle, SCALE-Sim's total.</summary>
    public long Cycles => Events.Cycles;

    /// <summary>How many cycles there were: one more than the number of the last.</summary>
    public long ElapsedCycles => Cycles + 1;

    /// <summary>Of the slots that are no padding, those that hold a weight other than zero; 1 where only the shape is known.</summary>
    public double SlotFill { get; init; } = 1;

    /// <summary>Multiply-accumulates with a weight that is not zero.</summary>
    public double UsefulMacs => Events.UsefulMacs * SlotFill;

    /// <summary>Useful multiply-accumulates over PEs × elapsed cycles, at most 1. A slot that holds zero is no useful work.</summary>
    public double Utilization => UsefulMacs / ((double)Config.PeCount * ElapsedCycles);

    /// <summary>Cycles that DRAM needs for the layer's bytes; a layer with more of these than <see cref="Cycles"/> waits for
    /// memory.</summary>
    public long DramCycles => (long)Math.Ceiling(Dram.TotalBytes / Config.DramBytesPerCycle);

    public EnergyBreakdown Energy => EnergyModel.Of(Config, Events, Dram);

    public double EnergyPicojoules => Energy.TotalPicojoules;
}
