using Dovetail.Benchmarking;
using Dovetail.Benchmarking.Layers;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Bench;

/// <summary><c>dovetail bench --shapes</c>: bare layers of a list, packed against ONNX Runtime dense fp32 and int8.</summary>
/// <param name="File">The list (bench/shapes/README.md).</param>
/// <param name="Options">Seconds: for one side of one layer.</param>
internal sealed record ShapesBench(string File, IReadOnlyList<ComplementaryPattern> Patterns, DType DType, BenchmarkOptions Options)
{
    public const double DefaultSeconds = 0.3;

    /// <summary>The only peak that is measured; what int8 reaches of it may pass 100 %.</summary>
    private const string PeakHeading = "of fp32 peak";

    public void Run(VerbOutput output, CancellationToken cancellation)
    {
        double? average = MachineLoad.Average;
        MachineLoad? load = MachineLoad.Watch();
        IReadOnlyList<LayerShape> shapes = LayerShapeFile.Read(File);
        LayerListResult result = null!;
        ProgressLine.Run(output.Human, "Measuring", shapes.Count, step => result = LayerListBenchmark.Measure(
            shapes, Patterns, DType, Options, new ImmediateProgress<LayerShape>(shape => step(shape.Workload.Name)), cancellation));
        load = MachineLoad.Greater(load, MachineLoad.Watch());
        output.Human.WriteLine($"{MachineFacts.Cpu}, {Options.Threads} thread{(Options.Threads > 1 ? "s" : "")}, batch {Options.Batch}, {DType.ToString().ToLowerInvariant()} weights, peak {result.PeakGflops:N0} fp32 GFLOP/s; every figure holds {result.SessionOverheadMicroseconds:N1} µs of a session's own");
        foreach (ComplementaryPattern pattern in Patterns)
            Print(output.Human, pattern, result);
        if (load?.Note(Options.Threads) is { } note)
            output.Human.WriteLine(note);
        output.WriteJson(new
        {
            cpu = MachineFacts.Cpu,
            Options.Threads,
            Options.Batch,
            dtype = DType.ToString().ToLowerInvariant(),
            shapes = File,
            Options.Seed,
            peak = new { gflops = result.PeakGflops, dtype = "fp32", method = PeakArithmetic.Method },
            session_overhead_us = result.SessionOverheadMicroseconds,
            load_average = average,
            busy_processors = load?.Busy,
            geometric_means = result.Summaries,
            layers = result.Layers.Select(Json),
            stay_dense = result.StayDense.Select(layer => new { layer.Shape.Workload.Name, pattern = layer.Pattern.ToString(), layer.Reason }),
            versions = MachineFacts.Versions,
        });
    }

    private static void Print(IAnsiConsole console, ComplementaryPattern pattern, LayerListResult result)
    {
        Table table = new Table().Title($"[bold]{Markup.Escape(pattern.ToString())}[/]").Border(TableBorder.Simple);
        table.AddColumn(new TableColumn("Layer").NoWrap());
        foreach (string column in (string[])["M×N×K", "fp32 µs", "int8 µs", "packed µs", "p10", "p90", "×fp32", "p10", "×int8", "×alone", "GFLOP/s", PeakHeading])
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        table.AddColumn(new TableColumn("by").NoWrap());
        var operators = new List<string>();
        foreach (LayerMeasurement row in result.Layers.Where(row => row.Pattern == pattern.ToString()))
            table.AddRow(
                Markup.Escape(row.Shape.Workload.Name), $"{row.Shape.Workload.M}×{row.Shape.Workload.N}×{row.Shape.Workload.K}",
                $"{row.Dense.Timing.MedianMicroseconds:N1}", $"{row.DenseInt8.Timing.MedianMicroseconds:N1}", $"[bold]{row.Packed.MedianMicroseconds:N1}[/]",
                $"{row.Packed.P10Microseconds:N1}", $"{row.Packed.P90Microseconds:N1}",
                $"[bold]{row.Ratio:0.0}[/]", $"{row.RatioP10:0.0}", $"{row.RatioInt8:0.0}", $"{row.RatioAlone:0.0}", $"{row.UsefulGflops:N1}", $"{row.ShareOfPeak:0%}",
                string.Concat(new[] { row.Dense.Operator, row.DenseInt8.Operator, row.Kernel }.Select(Mark)));
        table.AddEmptyRow();
        foreach (LayerSummary summary in result.Summaries.Where(summary => summary.Pattern == pattern.ToString()))
            table.AddRow(
                $"[bold]{summary.Group}[/]", $"mean of {summary.Layers}", "", "", "", "", "",
                $"[bold]{summary.Ratio:0.0}[/]", $"{summary.RatioP10:0.0}", $"{summary.RatioInt8:0.0}", $"{summary.RatioAlone:0.0}", "", $"{summary.ShareOfPeak:0%}", "");
        console.Write(table);
        console.WriteLine($"Medians, p10 and p90 of alternating blocks. GFLOP/s on kept weights, and their share of the fp32 peak, which int8 may pass. By (fp32, int8, packed): {string.Join(", ", operators.Select(name => $"{Mark(name)} {name}"))}.");
        foreach (UnfitLayer layer in result.StayDense.Where(layer => layer.Pattern.Equals(pattern)))
            console.WriteLine($"{layer.Shape.Workload.Name} stays dense: {layer.Reason}.");

        // A letter for each operator in order of appearance: names would not fit into the table.
        string Mark(string name)
        {
            if (!operators.Contains(name))
                operators.Add(name);
            return $"{(char)('a' + operators.IndexOf(name))}";
        }
    }

    private static object Json(LayerMeasurement row) => new
    {
        row.Shape.Workload.Name,
        op = row.Shape.Workload.Op,
        row.Shape.Workload.M,
        row.Shape.Workload.N,
        row.Shape.Workload.K,
        row.Shape.Count,
        row.Pattern,
        dtype = row.DType.ToString().ToLowerInvariant(),
        row.Kernel,
        dense_op = row.Dense.Operator,
        dense_us = row.Dense.Timing.MedianMicroseconds,
        dense_p10_us = row.Dense.Timing.P10Microseconds,
        dense_p90_us = row.Dense.Timing.P90Microseconds,
        dense_int8_op = row.DenseInt8.Operator,
        dense_int8_us = row.DenseInt8.Timing.MedianMicroseconds,
        dense_int8_p10_us = row.DenseInt8.Timing.P10Microseconds,
        dense_int8_p90_us = row.DenseInt8.Timing.P90Microseconds,
        dense_alone_us = row.DenseAlone.MedianMicroseconds,
        packed_us = row.Packed.MedianMicroseconds,
        packed_p10_us = row.Packed.P10Microseconds,
        packed_p90_us = row.Packed.P90Microseconds,
        packed_runs = row.Packed.Runs,
        row.Ratio,
        ratio_p10 = row.RatioP10,
        ratio_int8 = row.RatioInt8,
        ratio_int8_p10 = row.RatioInt8P10,
        row.RatioAlone,
        row.UsefulGflops,
        row.EffectiveGflops,
        row.DenseGflops,
        row.ShareOfPeak,
    };
}
