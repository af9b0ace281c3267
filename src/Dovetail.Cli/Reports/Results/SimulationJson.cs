using Dovetail.Accelerator.Simulation;

namespace Dovetail.Cli.Reports.Results;

/// <summary>The JSON of <c>dovetail simulate</c>. m, n, k are SCALE-Sim's: m output pixels, n filters, k window.</summary>
/// <param name="TotalCycles">The numbers of the layers' last cycles, from 0, added: SCALE-Sim's total.</param>
/// <param name="ElapsedCycles">How many cycles there were: one more a layer.</param>
/// <param name="NotCounted">Layers whose sizes only a run tells.</param>
/// <param name="Alternatives">Layers in the two branches of an If: all are in the totals, and a run takes one branch.</param>
/// <param name="Assumption">What weights are taken to be where that is not what their file says; else null.</param>
public sealed record SimulationJson(
    int Rows, int Cols, string Dataflow, string Pattern, string Mode, string Schedule,
    long TotalCycles, long ElapsedCycles, double Utilization, double EnergyPicojoules, IReadOnlyList<SimulatedLayerJson> Layers,
    string? Assumption, IReadOnlyList<string> NotCounted, IReadOnlyList<string> Alternatives)
        : VerbResult
{
    public static SimulationJson Of(NetworkSimulation network, string mode, string? assumption, IReadOnlyList<string> notCounted,
        IReadOnlyList<string> alternatives)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new SimulationJson(
            network.Config.Rows, network.Config.Columns, network.Config.Dataflow.ToString(), network.Config.Pattern.ToString(), mode,
            network.Layers.Count > 0 ? network.Layers[0].Schedule.ToString() : "",
            network.TotalCycles, network.ElapsedCycles, network.Utilization, network.Energy.TotalPicojoules,
            [.. network.Layers.Select(SimulatedLayerJson.Of)], assumption, notCounted, alternatives);
    }
}

/// <param name="Cycles">The number of the last cycle, from 0, as SCALE-Sim's.</param>
/// <param name="ElapsedCycles">How many cycles there were.</param>
public sealed record SimulatedLayerJson(
    string Name, int M, int N, int K, string Pattern, long Folds, long Cycles, long ElapsedCycles, double Utilization,
    SramReadsJson SramReads, SramWritesJson SramWrites, DramBytesJson DramBytes, double EnergyPicojoules)
{
    public static SimulatedLayerJson Of(LayerCounts layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return new SimulatedLayerJson(
            layer.Name, layer.Shape.Pixels, layer.Shape.Outputs, layer.Shape.Inputs, layer.Pattern.ToString(),
            layer.Events.Folds, layer.Cycles, layer.ElapsedCycles, layer.Utilization,
            new SramReadsJson(layer.Events.IfmapReads, layer.Events.FilterReads, layer.Events.OwnerReads),
            new SramWritesJson(layer.Events.OfmapWrites),
            new DramBytesJson(layer.Dram.IfmapBytes, layer.Dram.FilterBytes, layer.Dram.OfmapBytes),
            layer.EnergyPicojoules);
    }
}

/// <summary>Words: activations, weights, owners.</summary>
public sealed record SramReadsJson(long Ifmap, long Filter, long Owners);

/// <summary>Words: partial sums.</summary>
public sealed record SramWritesJson(long Ofmap);

public sealed record DramBytesJson(long Ifmap, long Filter, long Ofmap);
