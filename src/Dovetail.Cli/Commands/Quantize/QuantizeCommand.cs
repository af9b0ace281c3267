using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Commands.Run;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Normalize;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Runtime;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Quantize;

/// <summary><c>dovetail quantize</c>: fp32 to int8 in QDQ form, calibrated on data.</summary>
internal static class QuantizeCommand
{
    private const double LeastDecibels = 10;

    private static readonly Dictionary<string, CalibrationMethod> s_methods = new()
    {
        ["minmax"] = CalibrationMethod.MinMax,
        ["percentile"] = CalibrationMethod.Percentile,
        ["entropy"] = CalibrationMethod.Entropy,
    };

    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "fp32 ONNX file, dense or sparse; pack it afterwards." };
        var file = new Option<string>("--out", "-o")
        {
            Description = "The int8 ONNX file to write.",
            HelpName = "FILE.onnx",
            DefaultValueFactory = _ => "int8.onnx",
        };
        Option<string> data = CommonOptions.Data();
        data.Description = "Calibrate on the training images of a data set and compare on its test images: fashion-mnist, a folder with "
            + "the four IDX files of one like it, or a folder of .npy, PNG or JPEG files, one input or several each. For a model with "
            + "several inputs: a folder with, for each of them, a folder of its name with a file a run, or a file of its name for all.";
        var images = CommonOptions.Positive("--images", "Inputs to calibrate on, at most.", 512);
        var method = new Option<string>("--method")
        {
            Description = "Ranges of activations: minmax, all values; percentile, all but a share at both ends; entropy, cut where 128 "
                + "levels say most.",
            DefaultValueFactory = _ => "minmax",
        };
        method.AcceptOnlyFromAmong([.. s_methods.Keys]);
        var percentile = new Option<double>("--percentile")
        {
            Description = "With --method percentile: percent of the values inside the range.",
            HelpName = "P",
            DefaultValueFactory = _ => 99.99,
        };
        var perTensor = new Option<bool>("--per-tensor") { Description = "One scale a layer for its weights instead of one an output." };
        var reduce = new Option<bool>("--reduce-range")
        {
            Description = "Weights of 7 bits: for CPUs without VNNI, where ONNX Runtime adds two products in 16 bits, which saturate.",
        };
        Option<int> threads = CommonOptions.Threads(Environment.ProcessorCount, "ONNX Runtime");
        Option<Dictionary<string, long>> dimensions = DimensionOption.Create();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("quantize", "Quantize an fp32 model to int8 (QDQ, which any runtime reads), calibrated on data.")
        {
            model, file, data, images, method, percentile, perTensor, reduce, threads, dimensions, json,
        };
        command.Validators.Add(result =>
        {
            if (result.IsGiven(percentile) && result.GetValue(method) != "percentile")
                result.AddError("--percentile belongs to --method percentile.");
            else if (result.IsGiven(percentile) && result.GetValue(percentile) is not (> 0 and <= 100))
                result.AddError($"--percentile is {result.GetValue(percentile)}, expected above 0 and at most 100.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string source = parsed.GetValue(model)!, target = parsed.GetValue(file)!, how = parsed.GetValue(method)!;
            ModelSource.CheckFile(source);
            if (Path.GetFullPath(source) == Path.GetFullPath(target))
                throw new DovetailException($"The int8 model would replace its source, '{source}'. Give --out another name.");
            OnnxModel read = OnnxModel.Load(source);
            CheckFloat(read, source);
            var options = new QuantizationOptions { PerChannel = !parsed.GetValue(perTensor), ReduceRange = parsed.GetValue(reduce) };
            OnnxModel network = DimensionOption.Apply(OperatorSetUpgrade.Apply(read), parsed.GetValue(dimensions)!, source);
            int threadCount = parsed.GetValue(threads);
            CalibrationData inputs = CalibrationData.Read(network, parsed.GetValue(data)!, parsed.GetValue(images), source);
            IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(network);
            CheckLayers(network, tensors, source);
            OnnxModel quantized = null!;
            double noise = 0;
            double? agreement = null;
            QuantizedAccuracyJson? accuracy = null;
            ProgressLine.Run(output.Human, "Calibrating", 3, step =>
            {
                IReadOnlyDictionary<string, (float Min, float Max)> ranges = Calibration.Ranges(
                    GraphSlicer.WithOutputs(network, tensors).ToBytes(), [.. tensors], inputs.Runs, s_methods[how],
                    parsed.GetValue(percentile), threadCount, cancellation);
                quantized = QuantizationPass.Quantize(network, ranges, options);
                step("ranges");
                IReadOnlyList<FileTensor> expected = Run(network, inputs.Runs, threadCount, cancellation);
                IReadOnlyList<FileTensor> found = Run(quantized, inputs.Runs, threadCount, cancellation);
                noise = QuantizationError.SignalToNoise(expected, found);
                agreement = QuantizationError.Agreement(expected, found);
                step("comparison");
                if (inputs.Test is { } test)
                    accuracy = new QuantizedAccuracyJson(
                        test.Labels.Length, Accuracy(network, test, threadCount, cancellation),
                        Accuracy(quantized, test, threadCount, cancellation));
                step("test images");
            });
            cancellation.ThrowIfCancellationRequested();
            long after = quantized.Save(target), before = read.SourceBytes!.Value;
            IReadOnlyList<WeightLayer> layers = WeightLayers.Find(quantized);
            int integers = layers.Count(layer => layer.IsQuantized);
            output.Human.WriteLine(
                $"{source}: {before:N0} bytes; {target}: {after:N0} bytes, {(double)before / after:0.0} times smaller. {integers} of "
                + $"{layers.Count} layers are int8, calibrated by {how} on {inputs.Count} inputs.");
            output.Human.WriteLine(
                $"int8 against fp32 on these inputs: signal to noise {noise:0.0} dB"
                + (agreement is { } same ? $", the same class for {same:0.0%}." : "."));
            if (!(noise >= LeastDecibels)) // also where it is no number
                output.Human.WriteLine(
                    "That is little: int8 loses much of what these inputs tell apart. Calibrate on inputs that the model is made for, or "
                    + "try --method percentile or entropy.");
            if (accuracy is not null)
                output.Human.WriteLine(
                    $"{accuracy.Images:N0} test images: fp32 {accuracy.Fp32:0.00%}, int8 {accuracy.Int8:0.00%} right.");
            foreach (WeightLayer layer in layers.Where(layer => !layer.IsQuantized))
                output.Human.WriteLine($"{layer.Name} ({layer.Op}) stays fp32: {QuantizationPass.ReasonAgainst(layer)}.");
            if (read.OpsetVersion() < network.OpsetVersion())
                output.Human.WriteLine(
                    $"The model used operator set {read.OpsetVersion()} and uses {network.OpsetVersion()} now, which has scales "
                    + "per output.");
            output.WriteJson(new QuantizeJson(
                target, how, how == "percentile" ? parsed.GetValue(percentile) : null, options.PerChannel, options.ReduceRange, integers,
                layers.Count - integers, inputs.Count, new QuantizedBytesJson(before, after), noise, agreement, accuracy));
            return 0;
        }, CancellationToken.None));
        return command;
    }

    private static void CheckFloat(OnnxModel model, string source)
    {
        if (PackedWeights.Nodes(model).Any())
            throw new DovetailException($"'{source}' is packed already. Quantize the model that it was packed from, then pack the result.");
        IReadOnlyList<WeightLayer> layers = WeightLayers.Find(model);
        if (layers.Count > 0 && layers.All(layer => layer.IsQuantized))
            throw new DovetailException($"'{source}' is int8 already: all its {layers.Count} layers have int8 weights.");
        if (layers.Count == 0)
            throw new DovetailException($"'{source}' has no layer with constant weights; there is nothing to quantize.");
        foreach (WeightLayer layer in layers)
            if (layer.FindNotFinite() is { } fault)
                throw new DovetailException($"'{source}', layer '{layer.Name}': {fault}. A training that diverged leaves such weights.");
    }

    private static void CheckLayers(OnnxModel model, IReadOnlyList<string> tensors, string source)
    {
        if (tensors.Count > 0)
            return;
        IEnumerable<string> reasons = WeightLayers.Find(model).Take(3).Select(
            layer => $"{layer.Name}: {QuantizationPass.ReasonAgainst(layer)}");
        throw new DovetailException($"No layer of '{source}' has an int8 form here. {string.Join("; ", reasons)}.");
    }

    /// <summary>The first floating-point output of each run.</summary>
    private static IReadOnlyList<FileTensor> Run(
        OnnxModel model, IReadOnlyList<IReadOnlyList<InputTensor>> runs, int threads, CancellationToken cancellation)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(threads));
        var run = new ModelRun(session);
        return [.. runs.Select(inputs =>
        {
            cancellation.ThrowIfCancellationRequested();
            return run.RunOnce([.. inputs.Select(input => new FileTensor(input.Values, input.Shape))])
                .FirstOrDefault(output => output.Values is float[] or Half[] or double[])
                ?? throw new DovetailException("The model has no floating-point output to compare.");
        })];
    }

    private static double Accuracy(OnnxModel model, LabelledRuns test, int threads, CancellationToken cancellation) =>
        Evaluation.Accuracy([.. Run(model, test.Runs, threads, cancellation).SelectMany(output => output.ToFloats())], test.Labels);
}
