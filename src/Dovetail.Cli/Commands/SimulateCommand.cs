using System.CommandLine;
using Dovetail.Accelerator.Config;
using Dovetail.Accelerator.Mapping;
using Dovetail.Accelerator.Simulation;
using Dovetail.Accelerator.Tracing;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Core.Workloads;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail simulate</c>: a network on a systolic array, in closed form or cycle by cycle.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("MODEL")
        {
            Description = "ONNX file (dense, sparse or packed), or zoo:NAME. Cycle by cycle needs a packed int8 model.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var topology = new Option<string?>("--topology")
        {
            Description = "SCALE-Sim topology file instead of a model.",
            HelpName = "FILE.csv",
        };
        Option<int> rows = CommonOptions.Positive("--rows", "Array rows.", 16),
            cols = CommonOptions.Positive("--cols", "Array columns.", 16);
        var dataflow = new Option<string>("--dataflow")
        {
            Description = "Input (is), output (os) or weight (ws) stationary.",
            DefaultValueFactory = _ => "ws",
        };
        dataflow.AcceptOnlyFromAmong("ws", "os", "is");
        var pattern = new Option<ComplementaryPattern?>("--pattern")
        {
            Description = "Pattern that the array selects by; 1:1 is the dense array. Default: the model's widest, else 1:1.",
            HelpName = "PATTERN",
            CustomParser = CommonOptions.Pattern,
        };
        var cluster = new Option<int?>("--cluster")
        {
            Description = "PEs of a row that share registered lanes. Default: 4, for the dense array 1 (as SCALE-Sim).",
            HelpName = "N",
        };
        var mode = new Option<string?>("--mode")
        {
            Description = "closed: formulas, microseconds. cycle: moves values through every PE. Default: closed; cycle with --watch or "
                + "--trace.",
        };
        mode.AcceptOnlyFromAmong("closed", "cycle");
        var overlap = new Option<bool>("--overlap") { Description = "Load the next fold's weights while the current one computes." };
        var watch = new Option<bool>("--watch")
        {
            Description = "Print cycle by cycle which PE multiplies what with which owner; for small arrays, "
                + $"{ArrayWatch.MostPes} PEs at most.",
        };
        var trace = new Option<string?>("--trace")
        {
            Description = "Write what happens when: FILE.json, layers and folds for ui.perfetto.dev or chrome://tracing (1 µs is a "
                + "cycle); FILE.vcd, the registers of every PE for a waveform viewer.",
            HelpName = "FILE",
        };
        var energy = new Option<string?>("--energy")
        {
            Description = "Energy table (JSON) instead of the built-in 45 nm one.",
            HelpName = "FILE",
        };
        Option<Dictionary<string, long>> dimensions = DimensionOption.Create();
        Option<int> seed = CommonOptions.Seed();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("simulate", "Simulate a network on a systolic array: cycles, traffic, energy.")
        {
            model, topology, rows, cols, dataflow, pattern, cluster, mode, overlap, watch, trace, energy, dimensions, seed, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(model) is null == result.GetValue(topology) is null)
                result.AddError("Give either a model or --topology FILE.csv.");
            else if (result.GetValue(topology) is not null && result.IsGiven(dimensions))
                result.AddError("--dim belongs to a model; the sizes of a topology are numbers.");
            if (result.GetValue(overlap) && result.GetValue(dataflow) == "os")
                result.AddError("--overlap has no effect with --dataflow os, where no weights are loaded before a fold; leave one out.");
            bool observed = result.GetValue(watch) || result.GetValue(trace) is not null;
            if (observed && result.GetValue(mode) == "closed")
                result.AddError("--watch and --trace show cycles, which --mode closed has none of; leave --mode out.");
            if (result.GetValue(trace) is { } file && Path.GetExtension(file) is not (".json" or ".vcd"))
                result.AddError($"--trace writes FILE.json (layers and folds) or FILE.vcd (registers); '{file}' ends in neither.");
            bool random = observed || result.GetValue(mode) == "cycle"
                || result.GetValue(model)?.StartsWith("zoo:", StringComparison.Ordinal) == true;
            if (result.IsGiven(seed) && !random)
                result.AddError("--seed has no effect here: it is for the weights of zoo:NAME and the values of --mode cycle.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            Workload workload = parsed.GetValue(topology) is { } file
                ? new Workload(Topology.Load(file), Packed: null)
                : Load(
                    parsed.GetValue(model)!, parsed.GetValue(dimensions)!, parsed.GetValue(seed), parsed.GetValue(pattern),
                    cancellation);
            ComplementaryPattern chosen = parsed.GetValue(pattern) ?? workload.WidestPattern;
            ArrayConfig config = chosen.Group == 1
                ? ArrayConfig.Dense(parsed.GetValue(rows), parsed.GetValue(cols))
                : ArrayConfig.Complementary(parsed.GetValue(rows), parsed.GetValue(cols), chosen);
            config = config with
            {
                ClusterColumns = parsed.GetValue(cluster) ?? config.ClusterColumns,
                Dataflow = parsed.GetValue(dataflow) switch
                {
                    "os" => Dataflow.OutputStationary,
                    "is" => Dataflow.InputStationary,
                    _ => Dataflow.WeightStationary,
                },
                Energy = parsed.GetValue(energy) is { } table ? EnergyTable.Load(table) : EnergyTable.Default,
            };
            config.Validated();
            FoldSchedule schedule = parsed.GetValue(overlap) ? FoldSchedule.Overlapped : FoldSchedule.Serial;
            var output = new VerbOutput(parsed.GetValue(json));
            bool watched = parsed.GetValue(watch);
            string? tracePath = parsed.GetValue(trace);
            string how = parsed.GetValue(mode) ?? (watched || tracePath is not null ? "cycle" : "closed");
            NetworkSimulation network = how == "closed"
                ? workload.Closed(config, schedule)
                : Observed(config, schedule, workload, tracePath, watched ? output.Human : null, observer =>
                    workload.CycleByCycle(config, schedule, parsed.GetValue(seed), output.Human, observer, cancellation));
            Print(output.Human, network, how);
            if (workload.Packed?.Unsized is { Count: > 0 } unsized)
                output.Human.WriteLine(
                    $"Not counted, as only a run tells how large what they read is: {string.Join(", ", unsized)}.");
            string? assumption = workload.Assumption(chosen);
            if (assumption is not null)
                output.Human.WriteLine(assumption);
            IReadOnlyList<string> alternatives = workload.Packed?.Alternatives ?? [];
            if (alternatives.Count > 0)
                output.Human.WriteLine(
                    $"The total counts both branches of every If, and a run takes one: {alternatives.Count} layers stand in such "
                    + "branches.");
            if (workload.Packed?.Layers.Any(layer => layer.Weights.DType != DType.Int8) == true)
                output.Human.WriteLine("The model is fp32; it is counted as if it were int8, which the array computes with.");
            if (tracePath is not null)
                output.Human.WriteLine($"Wrote {tracePath}.");
            output.WriteJson(SimulationJson.Of(network, how, assumption, workload.Packed?.Unsized ?? [], alternatives));
            return 0;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>Runs with what prints and what writes; a file appears when all of it is known.</summary>
    private static NetworkSimulation Observed(
        ArrayConfig config, FoldSchedule schedule, Workload workload, string? trace, IAnsiConsole? watch,
        Func<IArrayObserver?, NetworkSimulation> run)
    {
        if (watch is null && trace is null)
            return run(null);
        long cycles = config.Dataflow == Dataflow.WeightStationary
            ? workload.Closed(config, schedule).ElapsedCycles
            : 0; // the run says what it takes
        ArrayWatch? printer = watch is null ? null : new ArrayWatch(config, cycles, watch.WriteLine);
        if (trace is null)
            return run(printer);
        bool waveform = Path.GetExtension(trace) == ".vcd";
        if (waveform)
            VcdTrace.Check(config, cycles);
        NetworkSimulation? result = null;
        AtomicFile.Write(trace, stream =>
        {
            if (waveform)
            {
                using var writer = new VcdTrace(stream, config);
                result = run(ArrayObservers.Both(printer, writer));
            }
            else
            {
                using var writer = new TimelineTrace(stream, config);
                result = run(ArrayObservers.Both(printer, writer));
            }
        });
        return result!;
    }

    private static Workload Load(
        string source, Dictionary<string, long> sizes, int seed, ComplementaryPattern? asked, CancellationToken cancellation)
    {
        OnnxModel model = DimensionOption.Apply(ModelSource.Load(source, seed), sizes, source);
        try
        {
            IReadOnlyDictionary<string, ComplementaryPattern>? declared = LayerPatterns.Find(model);
            cancellation.ThrowIfCancellationRequested();
            // Declared, or asked for: a layer whose weights do not satisfy it is dense.
            IReadOnlyDictionary<string, ComplementaryPattern> patterns = declared
                ?? (asked is { IsDense: false }
                    ? WeightLayers.Find(model).ToDictionary(layer => layer.Name, _ => asked)
                    : new Dictionary<string, ComplementaryPattern>());
            PackedModel packed = PackedModelReader.Read(model, patterns);
            if (packed.Unsized.Count > 0)
                DimensionOption.CheckNoneIsOpen(model, source);
            if (packed is { Unsized.Count: > 0, Layers.Count: 0 })
                throw new DovetailException(
                    $"Only a run tells how large what the layers of '{source}' read is; there is nothing to count.");
            return new Workload([.. packed.Layers.Select(layer => layer.Workload)], packed)
            {
                Declared = declared,
                InDenseStorage = WeightLayers.Find(model).Select(layer => layer.Name).ToHashSet(),
            };
        }
        catch (OnnxException)
        {
            DimensionOption.CheckNoneIsOpen(model, source); // says what to give, where that is what it lacks
            throw;
        }
    }

    private static void Print(IAnsiConsole console, NetworkSimulation network, string mode)
    {
        ArrayConfig config = network.Config;
        console.WriteLine($"{config.Rows}×{config.Columns} PEs, {config.Dataflow}, pattern {config.Pattern}, "
            + $"{(mode == "closed" ? "closed form" : "cycle by cycle")}");
        var table = new Table().AddColumn("Layer").AddColumn("Pattern");
        foreach (string column in (string[])[
            "m", "n", "k", "Cycles", "Utilization", "Ifmap reads", "Filter reads", "Ofmap writes", "DRAM bytes", "Energy, nJ"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (LayerCounts layer in network.Layers)
            table.AddRow(
                Markup.Escape(layer.Name), layer.Pattern.ToString(),
                $"{layer.Shape.Pixels}", $"{layer.Shape.Outputs}", $"{layer.Shape.Inputs}",
                $"{layer.ElapsedCycles:N0}", $"{layer.Utilization:0.0%}",
                $"{layer.Events.IfmapReads:N0}", $"{layer.Events.FilterReads:N0}", $"{layer.Events.OfmapWrites:N0}",
                $"{layer.Dram.TotalBytes:N0}", $"{layer.EnergyPicojoules / 1e3:N1}");
        table.AddRow(
            "[bold]all[/]", "", "", "", "", $"[bold]{network.ElapsedCycles:N0}[/]", $"[bold]{network.Utilization:0.0%}[/]",
            $"{network.Events.IfmapReads:N0}", $"{network.Events.FilterReads:N0}", $"{network.Events.OfmapWrites:N0}",
            $"{network.Dram.TotalBytes:N0}", $"{network.Energy.TotalPicojoules / 1e3:N1}");
        console.Write(table);
        console.WriteLine("m output pixels, n filters, k window; reads and writes in words of the buffers. Cycles that elapse, one layer "
            + "after the other: SCALE-Sim names the last cycle of a layer, which is one less. Utilization counts weights that are not "
            + "zero.");
    }

    /// <summary>What is simulated: bare shapes, or a model with its packed weights.</summary>
    private sealed record Workload(IReadOnlyList<LayerWorkload> Layers, PackedModel? Packed)
    {
        public ComplementaryPattern WidestPattern =>
            Packed?.Layers.Select(layer => layer.Weights.Pattern).Where(pattern => !pattern.IsDense).MaxBy(pattern => pattern.Group)
            ?? ComplementaryPattern.Dense;

        /// <summary>What the model itself says of its layers in dense storage; null where it says nothing.</summary>
        public IReadOnlyDictionary<string, ComplementaryPattern>? Declared { get; init; }

        /// <summary>The layers whose weights are stored dense.</summary>
        public IReadOnlySet<string> InDenseStorage { get; init; } = new HashSet<string>();

        /// <summary>What a selecting array takes the weights to be, where that is not what their file says; null where it is.</summary>
        public string? Assumption(ComplementaryPattern array)
        {
            if (array.IsDense)
                return null;
            if (Packed is null)
                return $"Shapes alone: layers count as if their weights had {array}, those of fewer channels than {array.Group} as dense.";
            int dense = Packed.Layers.Count(layer => layer.Weights.Pattern.IsDense), all = Packed.Layers.Count;
            List<PackedLayer> taken =
                [.. Packed.Layers.Where(layer => !layer.Weights.Pattern.IsDense && InDenseStorage.Contains(layer.Name))];
            string said = taken.Count == 0 ? "" : $"{taken.Count} of {all} layers are stored dense and counted by the pattern that "
                + (Declared is null ? $"their weights satisfy, {array}. " : "the file declares for them. ");
            string broken = Declared is null ? "" : Unsatisfied();
            string rest = dense == 0 ? ""
                : dense < all ? $"Dense, counted as 1:1: {dense} of {all} layers."
                : $"No weights satisfy a pattern of this array: all count as 1:1, and {array} gains nothing on them. "
                    + "Simulate the pruned or packed model ('dovetail prune', then 'dovetail pack').";
            return (said + broken + rest).Trim() is { Length: > 0 } words ? words : null;
        }

        private string Unsatisfied()
        {
            string[] names = [.. Packed!.Layers.Where(layer => layer.Weights.Pattern.IsDense && Declared!.ContainsKey(layer.Name))
                .Select(layer => layer.Name)];
            return names.Length == 0 ? ""
                : $"Not what the file declares, and counted as 1:1: {string.Join(", ", names)}. ";
        }

        public NetworkSimulation Closed(ArrayConfig config, FoldSchedule schedule) =>
            Packed is null ? NetworkSimulation.Closed(config, Layers, schedule) : NetworkSimulation.Closed(config, Packed, schedule);

        /// <summary>Counts do not depend on values, so the activations are random bytes from the seed.</summary>
        public NetworkSimulation CycleByCycle(
            ArrayConfig config, FoldSchedule schedule, int seed, IAnsiConsole console, IArrayObserver? observer,
            CancellationToken cancellation)
        {
            PackedModel model = Packed ?? RandomModel(config, seed);
            if (model.Layers.FirstOrDefault(layer => layer.Weights.DType != DType.Int8) is { } layer)
                throw new DovetailException(
                    $"Cycle by cycle the array computes with int8, and layer '{layer.Name}' has {layer.Weights.DType} weights. " +
                    "Give an int8 model (codesign writes packed_int8.onnx), or use --mode closed.");
            var random = new Random(seed);
            var results = new List<LayerCounts>();
            ProgressLine.Run(console, "Simulating", model.Layers.Count, step =>
            {
                foreach (PackedLayer layer in model.Layers)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var activations = new byte[LayerMapping.Of(config, layer).InputLength];
                    random.NextBytes(activations);
                    results.Add(CycleSimulator.RunLayer(config, layer, activations, schedule, observer).Counts);
                    step(layer.Name);
                }
            });
            return new NetworkSimulation(config, results);
        }

        private PackedModel RandomModel(ArrayConfig config, int seed)
        {
            var random = new Random(seed);
            return new PackedModel("topology", [.. Layers.Select(layer =>
            {
                CellLayout layout = LayerMapping.Of(config, layer).Layout;
                var scores = new float[layout.Shape.Count];
                for (int i = 0; i < scores.Length; i++)
                    scores[i] = random.NextSingle();
                bool[] mask = Projection.Project(scores, layout);
                var weights = new sbyte[scores.Length];
                for (int i = 0; i < weights.Length; i++)
                    weights[i] = mask[i] ? (sbyte)random.Next(-127, 128) : (sbyte)0;
                PackedTensor<sbyte> packed = Packer.Pack<sbyte>(weights, layout, mask, [.. Enumerable.Repeat(1f, layout.Shape.Outputs)]);
                return new PackedLayer(layer, packed, "input", "output", new LayerQuantization(1, 128, 1, 128, null));
            })]);
        }
    }
}
