using System.CommandLine;
using System.Globalization;
using Dovetail.Benchmarking;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Packing;
using Dovetail.Core.Patterns;

namespace Dovetail.Cli.Commands.Bench;

/// <summary><c>dovetail bench</c>: a packed model against a dense one, or bare layers of a list; in one run, by medians.</summary>
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
        var model = new Argument<string?>("MODEL")
        {
            Description = "Packed ONNX file; with --pattern a dense one or zoo:NAME, which is packed here.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var shapes = new Option<string?>("--shapes")
        {
            Description = "Measure bare layers of a list (bench/shapes) instead of a model: packed, dense fp32 and dense int8.",
            HelpName = "FILE.csv",
        };
        var against = new Option<string>("--against")
        {
            Description = "What to compare with: onnxruntime (the same network, dense), libtorch, or a dense ONNX file whose layers have "
                + "the packed ones' names.",
            HelpName = "onnxruntime|libtorch|FILE.onnx",
            DefaultValueFactory = _ => BenchmarkModels.OnnxRuntime,
        };
        var patterns = new Option<ComplementaryPattern[]>("--pattern")
        {
            Description = "Pattern to pack with; bare layers: may be repeated, 1:16 if not given.",
            HelpName = "PATTERN",
            CustomParser = CommonOptions.Patterns,
        };
        var type = new Option<string>("--dtype") { Description = "Weights of bare layers.", DefaultValueFactory = _ => "fp32" };
        type.AcceptOnlyFromAmong([.. s_types.Keys]);
        Option<int> threads = CommonOptions.Threads(1, "each session");
        Option<int> batch = CommonOptions.Positive("--batch", "Inputs of one run.", 1, "-b");
        Option<Dictionary<string, long>> dimensions = DimensionOption.Create();
        var inputs = new Option<string[]>("--input", "-i")
        {
            Description = "What an input is fed, where not any values do (a sample rate, token numbers): .npy, PNG, JPEG or IDX. The "
                + "others get random ones.",
            HelpName = "NAME=FILE",
            AllowMultipleArgumentsPerToken = true,
        };
        var seconds = new Option<double?>("--seconds", "-t")
        {
            Description = string.Create(
                CultureInfo.InvariantCulture,
                $"A model: what the whole command may take, half for the network and half for its layers; what it leaves no time for is "
                + $"said. Default {ModelBench.NetworkSeconds} for the network and {ModelBench.LayerSeconds} for each layer, all sides "
                + $"together. A bare layer: one side, default {ShapesBench.DefaultSeconds}."),
            HelpName = "SECONDS",
        };
        seconds.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, out double value) && value is not (> 0 and <= 3600))
                result.AddError($"--seconds is {value}, expected more than 0 and at most 3600.");
        });
        var stream = new Option<string>("--stream")
        {
            Description = "sync: one call at a time, latency. async: several callers share the session, throughput.",
            DefaultValueFactory = _ => "sync",
        };
        stream.AcceptOnlyFromAmong("sync", "async");
        Option<int> callers = CommonOptions.Positive(
            "--callers", "Callers at once with --stream async.", Math.Max(2, Environment.ProcessorCount));
        var data = new Option<string?>("--data")
        {
            Description = "Also say the accuracy on the test images of a data set: fashion-mnist, or a folder with the four IDX files "
                + "of one "
                + "like it.",
            HelpName = "NAME|DIR",
        };
        Option<int> seed = CommonOptions.Seed();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("bench", "Measure a packed model against a dense one on this CPU: whole network and layer by layer, "
            + "medians of alternating runs.")
        {
            model, shapes, against, patterns, type, batch, dimensions, inputs, seconds, threads, stream, callers, data, seed, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(shapes) is null == result.GetValue(model) is null)
                result.AddError("Expected either a model or --shapes FILE.csv.");
            else if (result.GetValue(shapes) is null && result.IsGiven(type))
                result.AddError("--dtype belongs to --shapes; a model has the types that it was packed with.");
            Option[] ofModels = [against, dimensions, inputs, stream, callers, data];
            if (result.GetValue(shapes) is not null && Array.Find(ofModels, result.IsGiven) is { } ofModel)
                result.AddError($"{ofModel.Name} belongs to a model; bare layers have no such choice.");
            else if (result.IsGiven(callers) && result.GetValue(stream) != "async")
                result.AddError("--callers belongs to --stream async; give it too.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            ComplementaryPattern[] chosen = parsed.GetValue(patterns) ?? [];
            var options = new BenchmarkOptions(parsed.GetValue(threads), 0, parsed.GetValue(batch), parsed.GetValue(seed));
            if (parsed.GetValue(shapes) is { } list)
            {
                options = options with { Seconds = parsed.GetValue(seconds) ?? ShapesBench.DefaultSeconds };
                new ShapesBench(
                    list, chosen.Length > 0 ? chosen : [new ComplementaryPattern(1, 16)], s_types[parsed.GetValue(type)!], options)
                    .Run(output, cancellation);
                return 0;
            }

            if (chosen.Length > 1)
                throw new DovetailException($"{chosen.Length} patterns were given for one model, expected at most one. Lists of layers "
                    + "(--shapes) take several.");
            int atOnce = parsed.GetValue(stream) == "async" ? parsed.GetValue(callers) : 1;
            var bench = new ModelBench(
                parsed.GetValue(model)!, parsed.GetValue(against)!, chosen.FirstOrDefault(), parsed.GetValue(dimensions)!, options,
                parsed.GetValue(seconds), atOnce)
            {
                Data = parsed.GetValue(data),
                InputFiles = parsed.GetValue(inputs) ?? [],
            };
            bench.Run(output, cancellation);
            return 0;
        }, CancellationToken.None));
        return command;
    }
}
