using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Commands.Run;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Data;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Layers;
using Dovetail.Onnx.Model;
using Dovetail.Onnx.Passes.Quantize;
using Dovetail.Runtime;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Quantize;

/// <summary><c>dovetail quantize</c>: fp32 to int8 in QDQ form, calibrated on data.</summary>
internal static class QuantizeCommand
{
    private const int BatchSize = 32;

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
            + "the four IDX files of one like it, or a folder of .npy, PNG or JPEG files, one input or several each.";
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
            OnnxModel network = DimensionOption.Apply(read, parsed.GetValue(dimensions)!, source);
            CheckFloat(network, source);
            int threadCount = parsed.GetValue(threads);
            Inputs inputs = Inputs.Read(network, parsed.GetValue(data)!, parsed.GetValue(images), source);
            IReadOnlyList<string> tensors = QuantizationPass.TensorsToCalibrate(network);
            var options = new QuantizationOptions { PerChannel = !parsed.GetValue(perTensor), ReduceRange = parsed.GetValue(reduce) };
            OnnxModel quantized = null!;
            double noise = 0;
            double? agreement = null;
            QuantizedAccuracyJson? accuracy = null;
            ProgressLine.Run(output.Human, "Calibrating", 3, step =>
            {
                IReadOnlyDictionary<string, (float Min, float Max)> ranges = Calibration.Ranges(
                    GraphSlicer.WithOutputs(network, tensors).ToBytes(), [.. tensors], inputs.Calibration, inputs.Shape, inputs.Batch,
                    s_methods[how], parsed.GetValue(percentile), threadCount, cancellation);
                quantized = QuantizationPass.Quantize(network, ranges, options);
                step("ranges");
                float[] expected = Run(network, inputs.Calibration, inputs, threadCount, cancellation);
                float[] found = Run(quantized, inputs.Calibration, inputs, threadCount, cancellation);
                noise = SignalToNoise(expected, found);
                agreement = Agreement(expected, found, inputs.Count);
                step("comparison");
                if (inputs.Test is { } test)
                    accuracy = new QuantizedAccuracyJson(
                        test.Labels.Length,
                        Evaluation.Accuracy(Run(network, test.Images, inputs, threadCount, cancellation), test.Labels),
                        Evaluation.Accuracy(Run(quantized, test.Images, inputs, threadCount, cancellation), test.Labels));
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
            if (accuracy is not null)
                output.Human.WriteLine(
                    $"{accuracy.Images:N0} test images: fp32 {accuracy.Fp32:0.00%}, int8 {accuracy.Int8:0.00%} right.");
            foreach (WeightLayer layer in layers.Where(layer => !layer.IsQuantized))
                output.Human.WriteLine($"{layer.Name} ({layer.Op}) stays fp32: there is no QDQ form of it here.");
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

    private static float[] Run(OnnxModel model, float[] images, Inputs inputs, int threads, CancellationToken cancellation)
    {
        using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(threads));
        return Evaluation.Logits(session, images, inputs.Shape, inputs.Batch, cancellation: cancellation);
    }

    private static double SignalToNoise(float[] expected, float[] found)
    {
        double signal = 0, noise = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            signal += (double)expected[i] * expected[i];
            noise += ((double)expected[i] - found[i]) * ((double)expected[i] - found[i]);
        }

        return noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);
    }

    private static double? Agreement(float[] expected, float[] found, int count)
    {
        int classes = expected.Length / count;
        if (classes is < 2 or > 100_000)
            return null;
        int same = Enumerable.Range(0, count).Count(i => Greatest(expected, i) == Greatest(found, i));
        return (double)same / count;

        int Greatest(float[] outputs, int row)
        {
            ReadOnlySpan<float> values = outputs.AsSpan(row * classes, classes);
            int best = 0;
            for (int i = 1; i < classes; i++)
                if (values[i] > values[best])
                    best = i;
            return best;
        }
    }

    /// <summary>What the model is fed.</summary>
    /// <param name="Calibration">[Count, Shape…].</param>
    /// <param name="Shape">Of one input.</param>
    /// <param name="Batch">Inputs of one run.</param>
    /// <param name="Test">Test images and their labels; null for files without labels.</param>
    private sealed record Inputs(
        float[] Calibration, IReadOnlyList<long> Shape, int Count, int Batch, (float[] Images, byte[] Labels)? Test)
    {
        private static readonly string[] s_kinds = [".npy", ".png", ".jpg", ".jpeg"];

        public static Inputs Read(OnnxModel model, string data, int most, string source)
        {
            using var session = DovetailSession.Create(model.ToBytes(), new DovetailSessionOptions(1));
            if (new ModelRun(session).Inputs is not [{ } input])
                throw new DovetailException(
                    $"'{source}' has {model.Inputs.Count} inputs; calibration feeds models with one floating-point input.");
            if (input.ElementType != typeof(float) || input.Shape.Length < 2)
                throw new DovetailException($"'{source}' takes {input}; calibration feeds float inputs of [inputs, …].");
            string[] files = Directory.Exists(data)
                ? [.. Directory.EnumerateFiles(data).Where(path => s_kinds.Contains(Path.GetExtension(path).ToLowerInvariant()))
                    .Order(StringComparer.Ordinal).Take(most)]
                : [];
            return files.Length > 0 ? OfFiles(files, input, most) : OfImages(data, input, most);
        }

        private static Inputs OfFiles(string[] files, ModelInput input, int most)
        {
            ModelInput any = input with { Shape = [-1, .. input.Shape[1..]] };
            FileTensor all = InputBatch.Stack([.. files.Select(file => InputFile.Read(file, any, PixelScaling.Default))], files);
            int batch = input.Shape[0] > 0 ? input.Shape[0] : BatchSize;
            long rows = Math.Min(all.Shape[0], most) / (input.Shape[0] > 0 ? batch : 1) * (input.Shape[0] > 0 ? batch : 1);
            if (rows == 0)
                throw new DovetailException($"{all.Shape[0]} inputs do not fill one batch of the model, {batch}.");
            FileTensor used = InputBatch.Slice(all, 0, rows);
            return new Inputs((float[])used.Values, used.Shape[1..], (int)rows, batch, null);
        }

        private static Inputs OfImages(string data, ModelInput input, int most)
        {
            var images = new JobImages(FashionMnist.LoadNamedOrFolder(data));
            int batch = input.Shape[0] > 0 ? input.Shape[0] : BatchSize;
            if (!input.Fits([batch, .. images.Shape]))
                throw new DovetailException(
                    $"The model takes {input}, and the images of {images.Data.Name} are float [N, {string.Join(", ", images.Shape)}]. "
                    + "Give a folder of inputs that fit with --data.");
            int count = Math.Min(most, images.Data.Train.Count) / batch * batch;
            count = count == 0 ? batch : count;
            bool whole = images.Data.Test.Count % batch == 0 || input.Shape[0] < 0;
            return new Inputs(
                images.Calibration(count), images.Shape, count, batch, whole ? (images.Test(), images.Data.Test.Labels) : null);
        }
    }
}
