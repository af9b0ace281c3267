using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Cost;
using Dovetail.Accelerator.Simulation;
using Dovetail.Cli.Reports.Results;
using Dovetail.Core.Patterns;
using Dovetail.Kernels.Reference;

namespace Dovetail.Cli.Codesign;

/// <summary>
/// The int8 network on a weight-stationary array, dense and complementary, with the real activations of one image:
/// cycle by cycle and in closed form, which must agree in every count, and whose sums must be the scalar reference's.
/// </summary>
internal static class SimulationStage
{
    /// <param name="Notes">What a reader of the cycles must know.</param>
    public sealed record Outcome(AcceleratorInfo Info, IReadOnlyList<EqualityCheck> Checks, IReadOnlyList<string> Notes);

    public static Outcome Run(IReadOnlyList<CapturedLayer> layers, ComplementaryPattern pattern, int rows, int columns, Action<string> step,
        CancellationToken cancellation)
    {
        ArrayConfig complementaryConfig = ArrayConfig.Complementary(rows, columns, pattern);
        // The fair partner: clustered alike, so that it fills as fast.
        ArrayConfig denseConfig = ArrayConfig.Dense(rows, columns) with { ClusterColumns = complementaryConfig.ClusterColumns };
        var dense = new List<LayerCounts>();
        var complementary = new List<LayerCounts>();
        long compared = 0, wrong = 0, counts = 0, wrongCounts = 0;
        foreach (CapturedLayer layer in layers)
        {
            int[] expected = QuantizedReference.Accumulate(
                layer.Weights, layer.Input, batch: 1, layer.Geometry, layer.Layer.Quantization!.InputZeroPoint);
            foreach ((ArrayConfig config, List<LayerCounts> results) in (
                (ArrayConfig, List<LayerCounts>)[])[(denseConfig, dense), (complementaryConfig, complementary)])
            {
                cancellation.ThrowIfCancellationRequested();
                LayerSimulation simulated = CycleSimulator.RunLayer(config, layer.Layer, layer.Input);
                compared += expected.Length;
                for (int i = 0; i < expected.Length; i++)
                    if (simulated.Accumulators[i] != expected[i])
                        wrong++;
                counts++;
                LayerCounts closed = ClosedForm.Simulate(config, layer.Layer);
                if (closed.Events != simulated.Counts.Events || closed.Dram != simulated.Counts.Dram)
                    wrongCounts++;
                // the dense array stands for the dense network, whose weights are none of them zero
                results.Add(config == denseConfig ? simulated.Counts with { SlotFill = 1 } : simulated.Counts);
            }

            step(layer.Layer.Name);
        }

        var denseNetwork = new NetworkSimulation(denseConfig, dense);
        var complementaryNetwork = new NetworkSimulation(complementaryConfig, complementary);
        AreaEstimate area = AreaModel.Estimate(complementaryConfig);
        double speedup = (double)denseNetwork.TotalCycles / complementaryNetwork.TotalCycles;
        return new Outcome(
            new AcceleratorInfo(
                rows, columns, "weight stationary", complementaryConfig.ClusterColumns, complementaryConfig.ClockMegahertz,
                denseNetwork.TotalCycles, complementaryNetwork.TotalCycles, speedup,
                complementaryNetwork.Utilization, denseNetwork.Utilization,
                denseNetwork.Energy.TotalPicojoules, complementaryNetwork.Energy.TotalPicojoules,
                area.RatioToDense, speedup / area.RatioToDense,
                (area.IsSynthesized ? area.Source : $"{area.Source}, interpolated") + "; PEs and lane registers only: skew registers, "
                    + "control and buffers are not in it, ./dovetail rtl --synth has the first two", denseConfig.Energy.Source,
                [.. dense.Zip(
                    complementary, (a, b) =>
                    new AcceleratorLayerInfo(a.Name, a.Shape.Pixels, a.Shape.Outputs, a.Shape.Inputs, Counts(a), Counts(b)))]),
            [
                new EqualityCheck(
                    "array simulator, cycle by cycle = scalar reference, int8 accumulators", wrong == 0 ? "equal" : "different", compared,
                    wrong, 0,
                    $"{layers.Count} layers on the dense and on the complementary array, real activations of one test image"),
                new EqualityCheck(
                    "array simulator, closed form = cycle by cycle, every count", wrongCounts == 0 ? "equal" : "different", counts,
                    wrongCounts, 0,
                    "cycles, folds, MACs, buffer words, register writes and DRAM bytes of each layer"),
            ],
            Notes(denseNetwork, complementaryNetwork));
    }

    private static IReadOnlyList<string> Notes(NetworkSimulation dense, NetworkSimulation complementary)
    {
        static string[] Waiting(NetworkSimulation network) =>
            [.. network.Layers.Where(layer => layer.DramCycles > layer.Cycles).Select(layer => layer.Name)];
        string[] waitingDense = Waiting(dense), waitingComplementary = Waiting(complementary);
        return waitingDense.Length + waitingComplementary.Length == 0
            ? []
            : [$"Cycles are the array's alone. At {complementary.Config.DramBytesPerCycle} bytes of DRAM a cycle and batch 1, these layers "
                + $"would wait for memory: dense {Words(waitingDense)}; complementary {Words(waitingComplementary)}."];

        static string Words(string[] layers) => layers.Length == 0 ? "none" : string.Join(", ", layers);
    }

    private static AcceleratorCounts Counts(LayerCounts layer) => new(
        layer.Cycles, layer.Utilization, layer.Events.IfmapReads, layer.Events.FilterReads, layer.Events.OfmapWrites,
        layer.Dram.TotalBytes, layer.EnergyPicojoules);
}
