using Dovetail.Benchmarking;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Bench;

/// <summary><c>dovetail bench MODEL</c>: a packed network against its dense one, whole and layer by layer.</summary>
/// <param name="Source">A packed model, or a dense one and a pattern.</param>
/// <param name="Against">onnxruntime, libtorch or a file.</param>
/// <param name="Callers">More than 1: that many at once, for throughput.</param>
internal sealed record ModelBench(string Source, string Against, ComplementaryPattern? Pattern, BenchmarkOptions Options, int Callers)
{
    public const double DefaultSeconds = 4;

    private const string PackedName = "packed", DenseName = "dense", Int8Name = "dense int8";

    public void Run(VerbOutput output, CancellationToken cancellation)
    {
        if (Against == BenchmarkModels.LibTorch && Callers > 1)
            throw new DovetailException("--stream async with --against libtorch is not supported: its threads belong to the process. Use --stream sync.");
        double? load = MachineLoad.Average;
        BenchmarkModels models = BenchmarkModels.Load(Source, Against, Pattern, Options.Seed);
        PackedModel packed = PackedModelReader.Read(models.Packed);
        int packedLayers = packed.Layers.Count(layer => !layer.Weights.Pattern.IsDense);
        IReadOnlyList<SubjectTiming> subjects = [];
        IReadOnlyList<LayerSpeedInfo> layers = [];
        string? noInt8 = null;
        double peak = 0;
        ProgressLine.Run(output.Human, "Measuring", 1 + packedLayers, step =>
        {
            peak = PeakArithmetic.MeasureGflops(Callers > 1 ? Math.Min(Environment.ProcessorCount, Callers * Options.Threads) : Options.Threads);
            (subjects, noInt8) = MeasureNetwork(models, cancellation);
            step("network");
            layers = BenchStage.Layers(models.Dense, models.Packed, Options, step, cancellation);
        });
        var rates = new NetworkRates(packed, Options.Batch, Subject(subjects, PackedName).RunsPerSecond, peak);
        Print(output.Human, models, subjects, layers, rates, noInt8);
        if (MachineLoad.Note(load, Environment.ProcessorCount, Callers * Options.Threads) is { } note)
            output.Human.WriteLine(note);
        output.WriteJson(Json(models, subjects, layers, rates, noInt8, load));
    }

    private static SubjectTiming Subject(IEnumerable<SubjectTiming> subjects, string name) => subjects.First(subject => subject.Name == name);

    private (IReadOnlyList<SubjectTiming> Timings, string? NoInt8) MeasureNetwork(BenchmarkModels models, CancellationToken cancellation)
    {
        _ = SessionOverhead.MeasureMicroseconds(Options, cancellation); // the first session of a process pays for ONNX Runtime itself
        (OnnxModel? int8, string? reason) = models.DenseIsQuantized
            ? (null, "the dense network is int8 itself")
            : QuantizedBaseline.Create(models.Dense, Options.Seed);
        var subjects = new List<IBenchmarkSubject>();
        try
        {
            subjects.Add(new SessionSubject(PackedName, models.Packed.ToBytes(), Options, Callers));
            subjects.Add(Against == BenchmarkModels.LibTorch
                ? new TorchSubject(DenseName, models.Dense, Options)
                : new SessionSubject(DenseName, models.Dense.ToBytes(), Options, Callers));
            if (int8 is not null)
                subjects.Add(new SessionSubject(Int8Name, int8.ToBytes(), Options, Callers));
            return (NetworkBenchmark.Measure(subjects, Options, Callers, cancellation), reason);
        }
        finally
        {
            subjects.ForEach(subject => subject.Dispose());
        }
    }

    private void Print(
        IAnsiConsole console, BenchmarkModels models, IReadOnlyList<SubjectTiming> subjects, IReadOnlyList<LayerSpeedInfo> layers, NetworkRates rates, string? noInt8)
    {
        string stream = Callers > 1 ? $"{Callers} callers at once" : "one call at a time";
        console.WriteLine($"{MachineFacts.Cpu}, {Options.Threads} thread{(Options.Threads > 1 ? "s" : "")} a session, batch {Options.Batch}, {stream}. Dense: {models.DenseOrigin}{(Against == BenchmarkModels.LibTorch ? ", in libtorch" : "")}.");
        SubjectTiming packed = Subject(subjects, PackedName);
        Table network = new Table().Border(TableBorder.Simple).AddColumn("Network");
        foreach (string column in (string[])["median ms", "p10", "p90", "p99", "inputs/s", "load ms", "packed is faster", "by p10"])
            network.AddColumn(new TableColumn(column).RightAligned());
        foreach (SubjectTiming subject in subjects)
        {
            bool self = subject == packed;
            network.AddRow(
                subject.Name, $"{subject.Latency.MedianMicroseconds / 1e3:N3}", $"{subject.Latency.P10Microseconds / 1e3:N3}", $"{subject.Latency.P90Microseconds / 1e3:N3}",
                $"{subject.Latency.P99Microseconds / 1e3:N3}", $"{subject.RunsPerSecond * Options.Batch:N0}", $"{subject.LoadMilliseconds:N1}",
                self ? "" : Callers > 1 ? $"[bold]{packed.RunsPerSecond / subject.RunsPerSecond:0.0}×[/]" : $"[bold]{subject.Latency.MedianMicroseconds / packed.Latency.MedianMicroseconds:0.0}×[/]",
                self ? "" : $"{subject.Latency.P10Microseconds / packed.Latency.P10Microseconds:0.0}×");
        }

        console.Write(network);
        console.WriteLine($"Packed: {rates.EffectiveGflops:N0} effective GFLOP/s, {rates.UsefulGflops:N1} on kept weights: {rates.ShareOfPeak:0%} of this machine's fp32 peak, {rates.PeakGflops:N0}{(models.DenseIsQuantized ? " (int8 may pass it)" : "")}.");
        if (noInt8 is not null)
            console.WriteLine($"No dense int8 baseline: {noInt8}.");
        Table table = new Table().Border(TableBorder.Simple).AddColumns("Layer", "Pattern", "Kernel");
        foreach (string column in (string[])["M×N×K", "dense µs", "p10", "packed µs", "p10", "ratio", "by p10", "GFLOP/s"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (LayerSpeedInfo layer in layers)
            table.AddRow(
                Markup.Escape(layer.Name), layer.Pattern, layer.Kernel, $"{layer.M}×{layer.N}×{layer.K}",
                $"{layer.DenseUs:N1}", $"{layer.DenseP10Us:N1}", $"{layer.PackedUs:N1}", $"{layer.PackedP10Us:N1}", $"{layer.Ratio:0.0}×", $"{layer.RatioP10:0.0}×",
                $"{layer.UsefulGflops:N1}");
        console.Write(table);
        console.WriteLine("Layers alone, dense ones in ONNX Runtime and in the layout that it gives them inside a network.");
    }

    private object Json(
        BenchmarkModels models, IReadOnlyList<SubjectTiming> subjects, IReadOnlyList<LayerSpeedInfo> layers, NetworkRates rates, string? noInt8,
        double? load)
    {
        SubjectTiming packed = Subject(subjects, PackedName), dense = Subject(subjects, DenseName);
        SubjectTiming? int8 = subjects.FirstOrDefault(subject => subject.Name == Int8Name);
        return new
        {
            cpu = MachineFacts.Cpu,
            Options.Threads,
            Options.Batch,
            Options.Seed,
            against = Against,
            dense_origin = models.DenseOrigin,
            stream = Callers > 1 ? "async" : "sync",
            callers = Callers,
            load_average = load,
            network = new
            {
                dense_ms = dense.Latency.MedianMicroseconds / 1e3,
                packed_ms = packed.Latency.MedianMicroseconds / 1e3,
                ratio = dense.Latency.MedianMicroseconds / packed.Latency.MedianMicroseconds,
                ratio_p10 = dense.Latency.P10Microseconds / packed.Latency.P10Microseconds,
                throughput_ratio = packed.RunsPerSecond / dense.RunsPerSecond,
                dense_int8_ms = int8?.Latency.MedianMicroseconds / 1e3,
                ratio_int8 = int8?.Latency.MedianMicroseconds / packed.Latency.MedianMicroseconds,
                no_dense_int8_because = noInt8,
                rates.EffectiveGflops,
                rates.UsefulGflops,
                rates.ShareOfPeak,
            },
            subjects = subjects.Select(subject => new
            {
                subject.Name,
                load_ms = subject.LoadMilliseconds,
                runs = subject.Latency.Runs,
                p10_ms = subject.Latency.P10Microseconds / 1e3,
                p50_ms = subject.Latency.MedianMicroseconds / 1e3,
                p90_ms = subject.Latency.P90Microseconds / 1e3,
                p99_ms = subject.Latency.P99Microseconds / 1e3,
                inputs_per_second = subject.RunsPerSecond * Options.Batch,
            }),
            layers,
            peak = new { gflops = rates.PeakGflops, dtype = "fp32", method = PeakArithmetic.Method },
            versions = MachineFacts.Versions,
        };
    }
}
