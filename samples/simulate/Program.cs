// Simulates a packed model on a systolic array:  simulate [PACKED.onnx] [ROWS]
// The same layers on a dense array of as many PEs are the baseline.
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Simulation;
using Dovetail.Core.Packing;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;

string path = args.ElementAtOrDefault(0) ?? "packed.onnx";
int side = int.Parse(args.ElementAtOrDefault(1) ?? "16", null);

PackedModel model = PackedModelReader.Read(OnnxModel.Load(path));
var pattern = model.Layers.Select(layer => layer.Weights.Pattern).MaxBy(p => p.Group)!; // what the PEs select by
NetworkSimulation ours = NetworkSimulation.Closed(ArrayConfig.Complementary(side, side, pattern), model);
NetworkSimulation dense = NetworkSimulation.Closed(ArrayConfig.Dense(side, side), model.Layers.Select(layer => layer.Workload));

foreach ((LayerCounts a, LayerCounts b) in ours.Layers.Zip(dense.Layers))
    Console.WriteLine($"{a.Name,-16} {b.Cycles,10:N0} → {a.Cycles,8:N0} cycles");
Console.WriteLine($"{"network",-16} {dense.TotalCycles,10:N0} → {ours.TotalCycles,8:N0} cycles, utilization {ours.Utilization:P0}");
Console.WriteLine($"DRAM {dense.Dram.TotalBytes:N0} → {ours.Dram.TotalBytes:N0} bytes, energy {dense.Energy.TotalPicojoules / 1e6:F2} → "
    + $"{ours.Energy.TotalPicojoules / 1e6:F2} µJ");
