using System.CommandLine;
using Dovetail.Benchmarking;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Operators;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Choose;
using Dovetail.Onnx.Passes.Pack;
using Dovetail.Runtime;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail pack</c>: sparse ONNX to packed ONNX.</summary>
internal static class PackCommand
{
    private const string Faster = "faster", All = "all";

    /// <summary>Larger models are not loaded again from memory: protobuf messages end at 2 GB.</summary>
    private const long MostBytesInMemory = 1_500_000_000;

    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "Sparse ONNX file (fp32, or int8 in QDQ form)." };
        Option<ComplementaryPattern> pattern = CommonOptions.Pattern("The pattern that the weights satisfy. Where it is left out, the "
            + "patterns that the model declares for its layers count, and each layer must satisfy its own; the default counts only if it "
            + "declares none.");
        Option<string> file = new("--out", "-o")
        {
            Description = "The packed ONNX file to write.",
            HelpName = "FILE.onnx",
            DefaultValueFactory = _ => "packed.onnx",
        };
        Option<string> values = new("--values")
        {
            Description = "Type of floating-point weights in the file: fp16 and bf16 halve them, products stay fp32.",
            DefaultValueFactory = _ => "fp32",
        };
        values.AcceptOnlyFromAmong("fp32", "fp16", "bf16");
        Option<string> operands = new("--operands")
        {
            Description = "What floating-point layers multiply. bf16 rounds inputs and weights: twice as fast where the CPU has "
                + "AVX512_BF16, and less precise: check the accuracy with 'dovetail run'.",
            DefaultValueFactory = _ => OperandNames.Float32,
        };
        operands.AcceptOnlyFromAmong(OperandNames.Float32, OperandNames.BFloat16);
        Option<string?> safetensors = new("--safetensors") { Description = "Also write the packed weights alone.", HelpName = "FILE" };
        Option<string> which = new("--pack")
        {
            Description = "Of the layers that satisfy their pattern: faster, those that are predicted to run at least 5 % faster on this "
                + "machine; or all, for the smallest file.",
            DefaultValueFactory = _ => Faster,
        };
        which.AcceptOnlyFromAmong(Faster, All);
        Option<int> batch = CommonOptions.Positive("--batch", "Inputs of a run, for the prediction.", 1, "-b");
        Option<int> threads = CommonOptions.Threads(1, "a session, for the prediction");
        Option<bool> calibrate = new("--calibrate")
        {
            Description = "Measure this machine anew (a few seconds) instead of using what is in the cache.",
        };
        Option<Dictionary<string, long>> dimensions = DimensionOption.Create();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("pack", "Pack the layers of a sparse ONNX model that satisfy a pattern and gain speed by it; the others "
            + "stay dense, and the table says why.")
        {
            model, pattern, values, operands, file, safetensors, which, batch, threads, calibrate, dimensions, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(which) == All && ((Option[])[batch, threads, calibrate]).FirstOrDefault(result.IsGiven) is { } predicting)
                result.AddError($"{predicting.Name} has no effect with --pack all, which predicts nothing; leave one of them out.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string source = parsed.GetValue(model)!, target = parsed.GetValue(file)!;
            ModelSource.CheckFile(source, parsed.GetValue(pattern)!.ToString());
            if (Path.GetFullPath(source) == Path.GetFullPath(target))
                throw new DovetailException($"The packed model would replace its source, '{source}'. Give --out another name.");
            OnnxModel read = OnnxModel.Load(source);
            long before = read.SourceBytes!.Value;
            OnnxModel sparse = DimensionOption.Apply(read, parsed.GetValue(dimensions)!, source);
            bool declared = parsed.GetResult(pattern) is not { Implicit: false } && LayerPatterns.Find(sparse) is not null;
            FasterLayers? faster = parsed.GetValue(which) == All ? null
                : new FasterLayers(new Calibrations(output.Human, parsed.GetValue(threads), parsed.GetValue(calibrate), cancellation)
                    .Model(parsed.GetValue(batch), bfloat16Operands: parsed.GetValue(operands) == OperandNames.BFloat16));
            var options = new PackingOptions
            {
                ValueType = parsed.GetValue(values) switch { "fp16" => DType.Float16, "bf16" => DType.BFloat16, _ => DType.Float32 },
                BFloat16Operands = parsed.GetValue(operands) == OperandNames.BFloat16,
                Faster = faster,
            };
            PackingResult result = Pack(output.Human, () => declared
                ? PackingPass.PackDeclared(sparse, options)
                : PackingPass.Pack(sparse, parsed.GetValue(pattern)!, options));
            cancellation.ThrowIfCancellationRequested();
            PackNotes.CheckFloats(result.Model, ((Option[])[values, operands]).FirstOrDefault(parsed.CommandResult.IsGiven)?.Name);
            (long after, string? note) = WriteLoadable(result.Model, sparse, target);
            if (parsed.GetValue(safetensors) is { } weights)
                SafetensorsExport.Write(result.Model, weights);
            Print(output.Human, result.Plan, faster is not null);
            foreach (string said in options.BFloat16Operands ? PackNotes.OnBFloat16(result.Model) : [])
                output.Human.WriteLine(said);
            if (note is not null)
                output.Human.WriteLine(note);
            if (PackNotes.OnLostInputs(sparse, result.Model) is { } lost)
                output.Human.WriteLine(lost);
            output.Human.WriteLine($"{source}: {before:N0} bytes; {target}: {after:N0} bytes, {(double)before / after:0.0} times smaller.");
            if (faster is not null)
                PrintPrediction(output.Human, result.Plan, parsed.GetValue(batch), parsed.GetValue(threads));
            output.WriteJson(new PackJson(
                target, new PackedBytesJson(before, after),
                faster is null ? null : new PredictionBasisJson(
                    MachineFacts.Cpu, parsed.GetValue(batch), parsed.GetValue(threads), faster.LeastGain),
                [.. result.Layers.Select(Json)]));
            return 0;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>Where nothing is packed, a table says why, layer by layer, before the message does in a sentence.</summary>
    private static PackingResult Pack(IAnsiConsole console, Func<PackingResult> pack)
    {
        try
        {
            return pack();
        }
        catch (NothingPackedException error)
        {
            if (error.Layers.Count > 0)
                Print(console, error.Layers, error.Layers.Any(layer => layer.Prediction is not null));
            string remedy = error.Cause switch
            {
                NothingPackedCause.NoGain =>
                    "Run it as it is, or give --pack all: a smaller file of all layers that satisfy their pattern.",
                _ => "",
            };
            int end = remedy.Length > 0 ? error.Summary.IndexOf(". ", StringComparison.Ordinal) + 1 : error.Summary.Length;
            throw new DovetailException($"{error.Summary[..end]} {remedy}".TrimEnd(), error);
        }
    }

    /// <summary>Proves that ONNX Runtime loads the packed model, and writes it then.</summary>
    /// <returns>Bytes written, and what a user should know of the proof; null where it holds.</returns>
    /// <exception cref="DovetailException">It does not load, and the source does: nothing is written.</exception>
    private static (long Bytes, string? Note) WriteLoadable(OnnxModel packed, OnnxModel source, string target)
    {
        string? fault = packed.ByteCount > MostBytesInMemory ? null : LoadFault(packed), note = null;
        if (fault is not null && LoadFault(source) is { } own)
            note = $"Not proven by loading it: ONNX Runtime does not load the source either ({own})";
        else if (fault is not null)
            throw new DovetailException(
                $"'{target}' was not written: ONNX Runtime loads the source, and does not load the packed model ({fault}). "
                + "Please report it with the model.");
        return (packed.Save(target), note);
    }

    private static string? LoadFault(OnnxModel model)
    {
        try
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return error.Message.ReplaceLineEndings(" ").Trim();
        }
    }

    private static void Print(IAnsiConsole console, PackingPlan plan, bool predicted)
    {
        Print(console, plan.Layers, predicted);
        (IReadOnlyList<ChannelsLastRegion> regions, IReadOnlyList<LayoutTranspose> transposes) = plan.Layout;
        if (regions.Count > 0)
            console.WriteLine($"{Count(regions.Count, "region")} of images in NHWC, {Count(transposes.Count, "Transpose")} at the "
                + $"borders{(transposes.Count > 0 ? $": {PackNotes.List([.. transposes.Select(transpose => transpose.Image)])}" : "")}.");

        static string Count(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";
    }

    private static void Print(IAnsiConsole console, IReadOnlyList<LayerPlan> layers, bool predicted)
    {
        Table table = new Table().AddColumns("Layer", "Pattern", "Dense bytes", "Packed bytes");
        if (predicted)
            table.AddColumns("Dense µs", "Packed µs");
        table.AddColumn("Stays dense because");
        foreach (LayerPlan layer in layers)
        {
            List<string> cells = [
                Markup.Escape(layer.Name), layer.Pattern?.ToString() ?? "dense", $"{layer.DenseBytes:N0}", $"{layer.PackedBytes:N0}"];
            if (predicted)
                cells.AddRange(layer.Prediction is { } p ? [$"{p.DenseMicroseconds:N1}", $"{p.PackedMicroseconds:N1}"] : ["", ""]);
            cells.Add(Markup.Escape(layer.DenseReason ?? ""));
            table.AddRow([.. cells]);
        }

        console.Write(table);
    }

    private static PackedLayerJson Json(LayerPlan layer) => new(
        layer.Name, layer.Pattern?.ToString(), layer.DenseReason, layer.DenseBytes, layer.PackedBytes,
        layer.Prediction is { } times
            ? new PredictedTimesJson(times.DenseMicroseconds, times.PackedMicroseconds, times.TransposeMicroseconds)
            : null);

    private static void PrintPrediction(IAnsiConsole console, PackingPlan plan, int batch, int threads)
    {
        List<LayerPlan> known = [.. plan.Layers.Where(layer => layer.Prediction is not null)];
        double dense = known.Sum(layer => layer.Prediction!.DenseMicroseconds);
        double chosen = known.Sum(
            layer => layer.Pattern is not null ? layer.Prediction!.PackedMicroseconds : layer.Prediction!.DenseMicroseconds);
        console.WriteLine($"Predicted on this machine (batch {batch}, {threads} thread{(threads > 1 ? "s" : "")}), layers that satisfy "
            + $"their pattern: dense {dense:N0} µs, as chosen {chosen:N0} µs. Measure the whole with 'dovetail bench'.");
        int unknown = plan.Layers.Count(layer => layer.Pattern is not null && layer.Prediction is null);
        if (unknown > 0)
            console.WriteLine($"{unknown} layer{(unknown > 1 ? "s" : "")} packed without a prediction: sizes that are not fixed; --dim "
                + $"NAME=N fixes them.");
    }
}
