using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports;
using Dovetail.Core;
using Dovetail.Onnx.Model;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail bench</c>: a packed model against a dense one, in one run, by medians.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Packed ONNX file." };
        Option<string> against = new("--against") { Description = "The dense ONNX file to compare with. Layers are compared by their names.", HelpName = "FILE.onnx", Required = true };
        Option<int> threads = CommonOptions.Threads(1, "both models");
        Option<int> batch = CommonOptions.Positive("--batch", "Images of one run.", 1);
        Option<int> seed = CommonOptions.Seed();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("bench", "Measure a packed model against a dense one on this CPU: whole network and layer by layer, medians of alternating runs.")
        {
            model, against, threads, batch, seed, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
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
                versions = new { dovetail = MachineFacts.Version, commit = MachineFacts.Commit, runtime = MachineFacts.Runtime, onnx_runtime = MachineFacts.OnnxRuntimeVersion },
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
