using Dovetail.Benchmarking;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Commands.Run;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Patterns;
using Dovetail.Data;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Bench;

/// <summary><c>dovetail bench MODEL</c>: a packed network against its dense one, whole and layer by layer.</summary>
/// <param name="Source">A packed model, or a dense one and a pattern.</param>
/// <param name="Against">onnxruntime, libtorch or a file.</param>
/// <param name="Dimensions">Sizes of what the model leaves open, by name.</param>
/// <param name="Options">All but the seconds.</param>
/// <param name="Seconds">What the whole may take, roughly; null: <see cref="NetworkSeconds"/>, and the usual time for each layer.</param>
/// <param name="Callers">More than 1: that many at once, for throughput.</param>
internal sealed record ModelBench(
    string Source, string Against, ComplementaryPattern? Pattern, IReadOnlyDictionary<string, long> Dimensions, BenchmarkOptions Options,
    double? Seconds, int Callers)
{
    public const double NetworkSeconds = 4;

    private const int PeakBlocks = 100, ShortPeakBlocks = 20;

    // Seconds that a process of its own needs to start, load and run once; of what is left after the network, this share waits for two.
    private const double LeastForMemory = 1, ShareForMemory = 0.5;

    /// <summary>A data set whose test images say the accuracy; null: none is said.</summary>
    public string? Data { get; init; }

    /// <summary>NAME=FILE for inputs that not any values do for.</summary>
    public IReadOnlyList<string> InputFiles { get; init; } = [];

    /// <summary>For the sides of one layer together.</summary>
    public const double LayerSeconds = 0.6;

    public void Run(VerbOutput output, CancellationToken cancellation)
    {
        bool torch = Against == BenchmarkModels.LibTorch;
        if (torch && Callers > 1)
            throw new DovetailException("--stream async with --against libtorch is not supported: its threads belong to the process. Use "
                + "--stream sync.");
        var budget = new TimeBudget(Seconds, TimeProvider.System);
        double? average = MachineLoad.Average;
        MachineLoad? load = MachineLoad.Watch(Seconds ?? double.PositiveInfinity);
        BenchmarkModels models = BenchmarkModels.Load(Source, Against, Pattern, Dimensions, Options.Seed);
        BenchmarkOptions options = Options with { Sizes = Dimensions, Inputs = ReadInputs(models.Pair.Dense) };
        if (torch)
            LibTorchSetup.Ensure(output.Human, cancellation);
        NetworkResult network = null!;
        IReadOnlyList<LayerResult> layers = [];
        double peak = 0;
        ProgressLine.Run(output.Human, "Measuring", 1 + models.Pair.PackedLayers.Count, step =>
        {
            peak = PeakArithmetic.MeasureGflops(
                Callers > 1 ? Math.Min(Environment.ProcessorCount, Callers * Options.Threads) : Options.Threads,
                budget.IsBounded ? ShortPeakBlocks : PeakBlocks);
            network = NetworkBenchmark.Measure(
                models.Pair, options with { Seconds = NetworkSeconds }, Callers, int8: true,
                torch ? dense => new TorchSubject(NetworkBenchmark.DenseName, dense, options) : null, budget, cancellation);
            step("network");
            layers = NetworkBenchmark.MeasureLayers(
                models.Pair, options with { Seconds = LayerSeconds }, budget.Keeping(MemorySeconds(budget)),
                new ImmediateProgress<LayerResult>(layer => step(layer.Workload.Name)), cancellation);
        });
        load = MachineLoad.Greater(load, MachineLoad.Watch(Seconds ?? double.PositiveInfinity));
        IReadOnlyDictionary<string, SubjectFacts> facts = Facts(models, options, network, budget, output, cancellation);
        var rates = new NetworkRates(models.Pair.Layers, Options.Batch, network.Packed.RunsPerSecond, peak);
        int unmeasured = models.Pair.PackedLayers.Count - layers.Count;
        Print(output.Human, models, network, layers, rates, facts);
        if (unmeasured > 0)
            output.Human.WriteLine(
                $"{unmeasured} of {models.Pair.PackedLayers.Count} layers were not measured: -t {Seconds:0.##} left no time for them.");
        if (load?.Note(Callers * Options.Threads) is { } note)
            output.Human.WriteLine(note);
        output.WriteJson(new BenchJson(
            MachineFacts.Cpu, Options.Threads, Options.Batch, Options.Seed, Against, models.DenseOrigin, Callers > 1 ? "async" : "sync",
            Callers,
            average, load?.Busy, [.. Dimensions.Select(dimension => new DimensionJson(dimension.Key, dimension.Value))],
            NetworkSpeedJson.Of(network, rates),
            [.. network.Subjects.Select(subject => Json(subject, facts.GetValueOrDefault(subject.Name)))],
            [.. layers.Select(LayerSpeedInfo.Of)], PeakJson.Of(rates.PeakGflops), VersionsJson.OfThisProgram));
    }

    private SubjectJson Json(SubjectTiming subject, SubjectFacts? facts) =>
        SubjectJson.Of(subject, Options.Batch, facts?.Model.FileBytes, facts?.Model.PeakBytes, facts?.Accuracy);

    /// <summary>Size, memory and, where labelled images are given, accuracy of the networks that are files.</summary>
    private Dictionary<string, SubjectFacts> Facts(
        BenchmarkModels models, BenchmarkOptions options, NetworkResult network, TimeBudget budget, VerbOutput output,
        CancellationToken cancellation)
    {
        (string Name, OnnxModel Model)[] subjects =
            [(NetworkBenchmark.PackedName, models.Pair.Packed), (NetworkBenchmark.DenseName, models.Pair.Dense)];
        JobImages? images = Data is null ? null : new JobImages(FashionMnist.LoadNamedOrFolder(Data));
        var facts = new Dictionary<string, SubjectFacts>();
        ProgressLine.Run(output.Human, "Size and memory", subjects.Length, step =>
        {
            foreach ((string name, OnnxModel model) in subjects)
            {
                double latency = network.Subjects.First(subject => subject.Name == name).Latency.MedianMicroseconds / 1e6;
                double? accuracy = images is null || images.Data.Test.Count * latency / Options.Batch > budget.Left
                    ? null
                    : Accuracy(model, images, cancellation);
                facts[name] = new SubjectFacts(
                    budget.Left < LeastForMemory ? new ModelFacts(model.ByteCount, null) : ModelFacts.Of(model, options, cancellation),
                    accuracy);
                step(name);
            }
        });
        return facts;
    }

    private static double MemorySeconds(TimeBudget budget)
    {
        double share = budget.IsBounded ? Math.Min(2.5 * LeastForMemory, ShareForMemory * budget.Left) : 0;
        return share < LeastForMemory ? 0 : share;
    }

    private IReadOnlyList<InputTensor> ReadInputs(OnnxModel model)
    {
        if (InputFiles.Count == 0)
            return [];
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(Options.Threads));
        IReadOnlyList<ModelInput> inputs = new ModelRun(session).Inputs;
        return [.. InputFiles.Select(argument =>
        {
            int at = argument.IndexOf('=');
            ModelInput? named = at > 0 ? inputs.FirstOrDefault(input => input.Name == argument[..at]) : null;
            ModelInput input = named ?? throw new DovetailException(
                $"--input {argument}: expected NAME=FILE with an input of the model: {string.Join("; ", inputs)}.");
            FileTensor tensor = InputFile.Read(argument[(at + 1)..], input, PixelScaling.Default);
            return new InputTensor(input.Name, tensor.Values, tensor.Shape);
        })];
    }

    private double Accuracy(OnnxModel model, JobImages images, CancellationToken cancellation)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(Options.Threads));
        ModelInput? input = new ModelRun(session).Inputs is [{ } only] ? only : null;
        int batch = input?.Shape is [> 0 and var size, ..] ? size : 100;
        if (input is null || !input.Fits([batch, .. images.Shape]) || images.Data.Test.Count % batch != 0)
            throw new DovetailException(
                $"--data {Data}: its images are float [N, {string.Join(", ", images.Shape)}], and the model takes "
                + $"{input?.ToString() ?? "several inputs"}.");
        return Evaluation.Accuracy(
            Evaluation.Logits(session, images.Test(), images.Shape, batch, cancellation: cancellation), images.Data.Test.Labels);
    }

    private void Print(
        IAnsiConsole console, BenchmarkModels models, NetworkResult result, IReadOnlyList<LayerResult> layers, NetworkRates rates,
        IReadOnlyDictionary<string, SubjectFacts> facts)
    {
        string stream = Callers > 1 ? $"{Callers} callers at once" : "one call at a time";
        console.WriteLine($"{MachineFacts.Cpu}, {Options.Threads} thread{(Options.Threads > 1 ? "s" : "")} a session, batch "
            + $"{Options.Batch}, {stream}. Dense: {models.DenseOrigin}{(Against == BenchmarkModels.LibTorch ? ", in libtorch" : "")}.");
        Table network = new Table().Border(TableBorder.Simple).AddColumn("Network");
        foreach (string column
            in (string[])["median ms", "p10", "p90", "p99", "inputs/s", "packed is faster", "by p10", "load ms", "file MB", "peak MB"])
            network.AddColumn(new TableColumn(column).RightAligned());
        bool accuracies = facts.Values.Any(fact => fact.Accuracy is not null);
        if (accuracies)
            network.AddColumn(new TableColumn("accuracy").RightAligned());
        foreach (SubjectTiming subject in result.Subjects)
        {
            bool self = subject == result.Packed;
            SubjectFacts? fact = facts.GetValueOrDefault(subject.Name);
            List<string> cells =
            [
                subject.Name, $"{subject.Latency.MedianMicroseconds / 1e3:N3}", $"{subject.Latency.P10Microseconds / 1e3:N3}",
                $"{subject.Latency.P90Microseconds / 1e3:N3}",
                $"{subject.Latency.P99Microseconds / 1e3:N3}", $"{subject.RunsPerSecond * Options.Batch:N0}",
                self ? "" : $"[bold]{(Callers > 1 ? result.ThroughputOver(subject) : result.Over(subject)):0.0}×[/]",
                self ? "" : $"{result.OverP10(subject):0.0}×", $"{subject.LoadMilliseconds:N1}",
                fact is null ? "–" : $"{fact.Model.FileBytes / 1e6:N2}", fact?.Model.PeakBytes is { } peak ? $"{peak / 1e6:N1}" : "–",
            ];
            if (accuracies)
                cells.Add(fact?.Accuracy is { } right ? $"{right:0.00%}" : "–");
            network.AddRow([.. cells]);
        }

        console.Write(network);
        console.WriteLine("Load: a session, median of several. Peak: what loading and one run add to the memory of a process of its own."
            + (accuracies ? $" Accuracy: test images of {Data}." : ""));
        console.WriteLine($"Packed: {rates.EffectiveGflops:N0} effective GFLOP/s, {rates.UsefulGflops:N1} on kept weights: "
            + $"{rates.ShareOfPeak:0%} of this machine's fp32 peak, "
            + $"{rates.PeakGflops:N0}{(models.Pair.DenseIsQuantized ? " (int8 may pass it)" : "")}.");
        if (result.NoDenseInt8 is { } noInt8)
            console.WriteLine($"No dense int8 baseline: {noInt8}.");
        Table table = new Table().Border(TableBorder.Simple).AddColumns("Layer", "Pattern", "Kernel");
        foreach (string column in (string[])["M×N×K", "dense µs", "p10", "packed µs", "p10", "ratio", "by p10", "GFLOP/s"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (LayerResult layer in layers)
            table.AddRow(
                Markup.Escape(layer.Workload.Name), layer.Pattern.ToString(), layer.Kernel,
                $"{layer.Workload.M}×{layer.Workload.N}×{layer.Workload.K}",
                $"{layer.Dense.MedianMicroseconds:N1}", $"{layer.Dense.P10Microseconds:N1}",
                $"{layer.Packed.MedianMicroseconds:N1}", $"{layer.Packed.P10Microseconds:N1}",
                $"{layer.Ratio:0.0}×", $"{layer.RatioP10:0.0}×", $"{layer.UsefulGflops:N1}");
        console.Write(table);
        console.WriteLine("Layers alone, dense ones in ONNX Runtime and in the layout that it gives them inside a network.");
    }
}
