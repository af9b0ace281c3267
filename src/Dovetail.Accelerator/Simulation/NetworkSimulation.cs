using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Core.Packing;
using Dovetail.Core.Workloads;

namespace Dovetail.Accelerator.Simulation;

/// <summary>The layers of a network, one after the other on the same array, and their sums.</summary>
public sealed record NetworkSimulation(ArrayConfig Config, IReadOnlyList<LayerCounts> Layers)
{
    /// <summary>The numbers of the layers' last cycles, added: SCALE-Sim's total.</summary>
    public long TotalCycles => Layers.Sum(layer => layer.Cycles);

    /// <summary>How many cycles there were in all.</summary>
    public long ElapsedCycles => Layers.Sum(layer => layer.ElapsedCycles);

    internal double UsefulMacs => Layers.Sum(layer => layer.UsefulMacs);

    /// <summary>Useful multiply-accumulates over PEs × elapsed cycles, at most 1; 0 without layers.</summary>
    public double Utilization => Layers.Count == 0 ? 0 : UsefulMacs / ((double)Config.PeCount * ElapsedCycles);

    public EventCounts Events => Layers.Aggregate(new EventCounts(), (sum, layer) => sum + layer.Events);

    public DramTraffic Dram => Layers.Aggregate(new DramTraffic(0, 0, 0), (sum, layer) => sum + layer.Dram);

    public EnergyBreakdown Energy => Layers.Aggregate(EnergyBreakdown.Zero, (sum, layer) => sum + layer.Energy);

    /// <summary>Area of the array, an estimate.</summary>
    public AreaEstimate Area => AreaModel.Estimate(Config);

    /// <summary>Time on the array alone, at its clock.</summary>
    public double Microseconds => TotalCycles / Config.ClockMegahertz;

    /// <summary>Closed form of bare shapes.</summary>
    public static NetworkSimulation Closed(
        ArrayConfig config, IEnumerable<LayerWorkload> layers, FoldSchedule schedule = FoldSchedule.Serial) =>
        new(config, [.. layers.Select(layer => ClosedForm.Simulate(config, layer, schedule))]);

    /// <summary>Closed form of a packed model; fp32 layers count as if quantized.</summary>
    public static NetworkSimulation Closed(ArrayConfig config, PackedModel model, FoldSchedule schedule = FoldSchedule.Serial)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new(config, [.. model.Layers.Select(layer => ClosedForm.Simulate(config, layer, schedule))]);
    }
}
