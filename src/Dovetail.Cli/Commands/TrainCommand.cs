using System.CommandLine;
using System.Globalization;
using Dovetail.Benchmarking;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Core.Patterns;
using Dovetail.Data;
using Dovetail.Onnx.Model;
using Dovetail.Training;
using Dovetail.Training.Engine;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail train</c>: one training, dense or under masks.</summary>
internal static class TrainCommand
{
    private const string CsvHeader = "network,data,method,pattern,sparsity,seed,epochs,validation_accuracy,test_accuracy,seconds_per_epoch,command,commit";

    public static Command Create()
    {
        Option<string> model = CommonOptions.Model(), data = CommonOptions.Data(), method = CommonOptions.Method(TrainingMethods.All);
        Option<ComplementaryPattern> pattern = CommonOptions.Pattern();
        Option<int?> epochs = CommonOptions.Epochs();
        Option<int> seed = CommonOptions.Seed();
        Option<string> file = new("--out", "-o") { Description = "The ONNX file to write.", HelpName = "FILE.onnx", DefaultValueFactory = _ => "trained.onnx" };
        Option<bool> resume = new("--resume") { Description = "Go on from FILE.checkpoint, which an interrupted training left beside --out." };
        Option<string?> csv = new("--csv") { Description = "Append one row about this run to a CSV file.", HelpName = "FILE.csv" };
        Option<int> threads = CommonOptions.Threads(Environment.ProcessorCount, "training");
        Option<string?> json = CommonOptions.Json();
        var command = new Command("train", "Train a network, dense or under a complementary pattern, and write it as ONNX.")
        {
            model, data, method, pattern, epochs, seed, file, resume, csv, threads, json,
        };
        command.Validators.Add(result =>
        {
            if (result.IsGiven(pattern) && result.GetValue(method) == TrainingMethods.Name(TrainingMethod.Dense))
                result.AddError("--pattern has no effect with --method dense, which trains every weight; leave one of them out.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            ImageDataset images = FashionMnist.LoadNamedOrFolder(parsed.GetValue(data)!);
            OnnxModel start = ModelSource.Load(parsed.GetValue(model)!, parsed.GetValue(seed));
            string target = parsed.GetValue(file)!, checkpoint = Path.ChangeExtension(target, ".checkpoint");
            if (parsed.GetValue(resume) && !File.Exists(checkpoint))
                throw new DovetailException($"--resume was given, but there is no '{checkpoint}'. Start without --resume.");
            CheckTargets(target, parsed.GetValue(csv));
            var options = new TrainingOptions
            {
                Method = TrainingMethods.Parse(parsed.GetValue(method)!),
                Pattern = parsed.GetValue(pattern)!,
                Epochs = parsed.GetValue(epochs) ?? TrainingOptions.DefaultEpochs(images),
                Seed = parsed.GetValue(seed),
                Threads = parsed.GetValue(threads),
                CheckpointPath = checkpoint,
                Resume = parsed.GetValue(resume),
            };
            if (NoteOnLength(options, images.Train.Count) is { } note)
                output.Human.WriteLine(note);
            TrainingResult result = Train(output.Human, start, images, options, cancellation);
            if (options.Method != TrainingMethod.Dense)
                DeclaredByTraining.Write(result.Model, options.Pattern);
            result.Model.Save(target);
            if (!result.IsComplete)
                throw new InterruptedException($"Interrupted after {result.Steps} steps. '{target}' is usable (validation accuracy {result.ValidationAccuracy:0.0%}); go on with the same command and --resume.");
            var row = new
            {
                network = parsed.GetValue(model),
                data = images.Source.IsSample ? images.Name + "-sample" : images.Name,
                method = TrainingMethods.Name(options.Method),
                pattern = options.Method == TrainingMethod.Dense ? "1:1" : options.Pattern.ToString(),
                sparsity = options.Method == TrainingMethod.Dense ? 0 : options.Pattern.Sparsity,
                options.Seed,
                options.Epochs,
                result.ValidationAccuracy,
                result.TestAccuracy,
                seconds_per_epoch = result.History.Count == 0 ? 0 : result.History.Average(epoch => epoch.Seconds),
                command = "./dovetail " + string.Join(' ', parsed.Tokens.Select(token => Reproduction.Quote(token.Value))),
                commit = MachineFacts.Commit,
            };
            if (parsed.GetValue(csv) is { } table)
                AppendCsv(table, string.Join(',', ((object?[])[
                    row.network, row.data, row.method, row.pattern, row.sparsity, row.Seed, row.Epochs, row.ValidationAccuracy,
                    row.TestAccuracy, row.seconds_per_epoch, row.command, row.commit]).Select(CsvField)));
            output.Human.MarkupLineInterpolated($"Test accuracy [bold]{result.TestAccuracy:0.00%}[/], validation {result.ValidationAccuracy:0.00%}, in {result.Seconds:0} s. Wrote {target}.");
            output.WriteJson(row);
            return 0;
        }, CancellationToken.None));
        return command;
    }

    private static TrainingResult Train(IAnsiConsole console, OnnxModel model, ImageDataset data, TrainingOptions options, CancellationToken cancellation)
    {
        TrainingResult? result = null;
        ProgressLine.Columns(console)
            .Start(context =>
            {
                var bars = new JobProgress(context);
                result = Trainer.Train(model, data, options, new ImmediateProgress<TrainingProgress>(
                    step => bars.Training(TrainingMethods.Name(options.Method), step)), cancellation);
            });
        return result!;
    }

    /// <summary>Why a training with a growing sparsity is too short for it, and what would be long enough; null where it is.</summary>
    internal static string? NoteOnLength(TrainingOptions options, int images)
    {
        int updates = options.GrowthUpdates(images), enough = options.Epochs;
        if (options.Method != TrainingMethod.Growing || updates >= TrainingOptions.LeastGrowthUpdates || options.Steps(images) == 0)
            return null;
        while ((options with { Epochs = enough }).GrowthUpdates(images) < TrainingOptions.LeastGrowthUpdates)
            enough++;
        return $"Note: this training is short for a sparsity that grows. In {options.Steps(images):N0} steps the density falls to {options.Pattern.Density:0.##%} in {updates} update{(updates == 1 ? "" : "s")} of the masks, "
            + $"and fewer than {TrainingOptions.LeastGrowthUpdates} cost accuracy: give --epochs {enough} or more, or more images.";
    }

    /// <summary>Before the hours of a training: the folder of checkpoint and model is made, and both files can be written.</summary>
    private static void CheckTargets(string target, string? csv)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(target)) is { } folder)
            Directory.CreateDirectory(folder);
        AtomicFile.CheckWritable(target);
        if (csv is not null)
            AtomicFile.CheckWritable(csv);
    }

    private static void AppendCsv(string path, string row)
    {
        string existing = File.Exists(path) ? File.ReadAllText(path) : CsvHeader + "\n";
        AtomicFile.WriteAllText(path, existing + row + "\n");
    }

    private static string CsvField(object? value)
    {
        string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().ContainsAny(",\"\n") ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
    }
}
