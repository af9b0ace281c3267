using Dovetail.Benchmarking;
using Dovetail.Benchmarking.Layers;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Passes.Choose;
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
        output.Human.WriteLine($"{MachineFacts.Cpu}, {Options.Threads} thread{(Options.Threads > 1 ? "s" : "")}, batch {Options.Batch}, "
            + $"{DType.ToString().ToLowerInvariant()} weights, peak {result.PeakGflops:N0} fp32 GFLOP/s; every figure holds "
            + $"{result.SessionOverheadMicroseconds:N1} µs of a session's own");
        foreach (ComplementaryPattern pattern in Patterns)
            Print(output.Human, pattern, result);
        if (load?.Note(Options.Threads) is { } note)
            output.Human.WriteLine(note);
        output.WriteJson(new ShapesBenchJson(
            MachineFacts.Cpu, Options.Threads, Options.Batch, DType.ToString().ToLowerInvariant(), File, Options.Seed,
            PeakJson.Of(result.PeakGflops), result.SessionOverheadMicroseconds, average, load?.Busy, result.Summaries,
            [.. result.Layers.Select(row => ShapeSpeedJson.Of(row, Verdict.Of(row)))],
            [.. result.StayDense.Select(layer => new UnfitShapeJson(layer.Shape.Workload.Name, layer.Pattern.ToString(), layer.Reason))],
            VersionsJson.OfThisProgram));
    }

    private static void Print(IAnsiConsole console, ComplementaryPattern pattern, LayerListResult result)
    {
        Table table = new Table().Title($"[bold]{Markup.Escape(pattern.ToString())}[/]").Border(TableBorder.Simple);
        table.AddColumn(new TableColumn("Layer").NoWrap());
        foreach (string column in (string[])[
            "M×N×K", "fp32 µs", "int8 µs", "packed µs", "p10", "p90", "×fp32", "p10", "×int8", "×alone", "GFLOP/s", PeakHeading])
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        table.AddColumn(new TableColumn("by").NoWrap()).AddColumn(new TableColumn("pack?").NoWrap());
        var operators = new List<string>();
        foreach (LayerMeasurement row in result.Layers.Where(row => row.Pattern == pattern.ToString()))
            table.AddRow(
                Markup.Escape(row.Shape.Workload.Name), $"{row.Shape.Workload.M}×{row.Shape.Workload.N}×{row.Shape.Workload.K}",
                $"{row.Dense.Timing.MedianMicroseconds:N1}", $"{row.DenseInt8.Timing.MedianMicroseconds:N1}",
                $"[bold]{row.Packed.MedianMicroseconds:N1}[/]",
                $"{row.Packed.P10Microseconds:N1}", $"{row.Packed.P90Microseconds:N1}",
                $"[bold]{row.Ratio:0.0}[/]", $"{row.RatioP10:0.0}", $"{row.RatioInt8:0.0}", $"{row.RatioAlone:0.0}",
                $"{row.UsefulGflops:N1}", $"{row.ShareOfPeak:0%}",
                string.Concat(new[] { row.Dense.Operator, row.DenseInt8.Operator, row.Kernel }.Select(Mark)), Verdict.Of(row));
        table.AddEmptyRow();
        foreach (LayerSummary summary in result.Summaries.Where(summary => summary.Pattern == pattern.ToString()))
            table.AddRow(
                $"[bold]{summary.Group}[/]", $"mean of {summary.Layers}", "", "", "", "", "",
                $"[bold]{summary.Ratio:0.0}[/]", $"{summary.RatioP10:0.0}", $"{summary.RatioInt8:0.0}", $"{summary.RatioAlone:0.0}", "",
                $"{summary.ShareOfPeak:0%}", "");
        console.Write(table);
        console.WriteLine($"Medians, p10 and p90 of alternating blocks. GFLOP/s on kept weights, and their share of the fp32 peak, which "
            + $"int8 may pass. Pack? is what 'dovetail pack' would do with these times: pack where at least "
            + $"{FasterLayers.UsualLeastGain:0%} is gained over the dense layer of the same type; either where median and p10 disagree. "
            + "By (fp32, int8, packed): "
                + $"{string.Join(", ", operators.Select(name => $"{Mark(name)} {name}"))}.");
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
}
