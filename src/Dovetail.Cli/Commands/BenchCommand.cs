using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Model;
using Dovetail.Runtime.OnnxRuntime.Benchmarking;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail bench</c>: a packed model against a dense one, in one run, by medians.</summary>
internal static class BenchCommand
{
    private static readonly Dictionary<string, DType> s_types = new()
    {
        ["fp32"] = DType.Float32,
        ["int8"] = DType.Int8,
        ["bf16"] = DType.BFloat16,
        ["fp16"] = DType.Float16,
    };

    public static Command Create()
    {
        var model = new Argument<string?>("model") { Description = "Packed ONNX file.", Arity = ArgumentArity.ZeroOrOne };
        var shapes = new Option<string?>("--shapes") { Description = "Measure bare layers of a list (bench/shapes) instead of a model: packed, dense fp32 and dense int8.", HelpName = "FILE.csv" };
        var patterns = new Option<ComplementaryPattern[]>("--pattern")
        {
            Description = "Pattern of bare layers; may be repeated.",
            HelpName = "PATTERN",
            DefaultValueFactory = _ => [new ComplementaryPattern(1, 16)],
            CustomParser = CommonOptions.Patterns,
        };
        var type = new Option<string>("--dtype") { Description = "Weights of bare layers.", DefaultValueFactory = _ => "fp32" };
        type.AcceptOnlyFromAmong([.. s_types.Keys]);
        Option<string?> against = new("--against") { Description = "The dense ONNX file to compare with. Layers are compared by their names.", HelpName = "FILE.onnx" };
        Option<int> threads = CommonOptions.Threads(1, "both models");
        Option<int> batch = CommonOptions.Positive("--batch", "Inputs of one run.", 1, "-b");
        Option<double?> seconds = new("--seconds", "-t") { Description = "Time to measure for: a bare layer's side.", HelpName = "SECONDS" };
        Option<int> seed = CommonOptions.Seed();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("bench", "Measure a packed model against a dense one on this CPU: whole network and layer by layer, medians of alternating runs.")
        {
            model, shapes, patterns, type, against, threads, batch, seconds, seed, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            if (parsed.GetValue(shapes) is { } list)
            {
                var options = new BenchmarkOptions(parsed.GetValue(threads), parsed.GetValue(seconds) ?? ShapesBench.DefaultSeconds, parsed.GetValue(batch), parsed.GetValue(seed));
                new ShapesBench(list, parsed.GetValue(patterns)!, s_types[parsed.GetValue(type)!], options).Run(output, cancellation);
                return 0;
            }

            OnnxModel packed = OnnxModel.Load(parsed.GetValue(model)!), dense = OnnxModel.Load(parsed.GetValue(against)!);
            int layers = BenchStage.PackedLayers(packed).Count;
            if (layers == 0)
                throw new DovetailException($"'{parsed.GetValue(model)}' has no packed layers; expected a model that 'dovetail pack' wrote.");
            SpeedInfo speed = null!;
            ProgressLine.Run(output.Human, "Measuring", 1 + layers, step =>
                speed = BenchStage.Run(dense, packed, parsed.GetValue(threads), parsed.GetValue(batch), parsed.GetValue(seed), step, cancellation));
            Print(output.Human, speed);
            output.WriteJson(new
            {
                cpu = MachineFacts.Cpu,
                speed.Threads,
                speed.Batch,
                network = new { speed.DenseMs, speed.PackedMs, ratio = speed.NetworkRatio },
                speed.Layers,
                versions = MachineFacts.Versions,
            });
            return 0;
        }, CancellationToken.None));
        return command;
    }

    private static void Print(IAnsiConsole console, SpeedInfo speed)
    {
        console.WriteLine($"{MachineFacts.Cpu}, {speed.Threads} thread{(speed.Threads > 1 ? "s" : "")}, batch {speed.Batch}");
        Table table = new Table().AddColumns("Layer", "Pattern", "Kernel");
        foreach (string column in (string[])["M", "N", "K", "Dense, µs", "Packed, µs", "Ratio", "Useful GFLOP/s"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (LayerSpeedInfo layer in speed.Layers)
            table.AddRow(
                Markup.Escape(layer.Name), layer.Pattern, layer.Kernel, $"{layer.M}", $"{layer.N}", $"{layer.K}",
                $"{layer.DenseUs:N1}", $"{layer.PackedUs:N1}", $"{layer.Ratio:0.0}×", $"{layer.UsefulGflops:N1}");
        table.AddRow("[bold]network[/]", "", "", "", "", "", $"{speed.DenseMs * 1e3:N1}", $"{speed.PackedMs * 1e3:N1}", $"[bold]{speed.NetworkRatio:0.0}×[/]", "");
        console.Write(table);
    }
}
