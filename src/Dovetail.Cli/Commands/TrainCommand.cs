using System.CommandLine;
using Dovetail.Benchmarking;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
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
    /// <summary>Tensors of a kind that are named; --json names them all.</summary>
    private const int ShownTensors = 40;

    public static Command Create()
    {
        Option<string> model = CommonOptions.Model(), data = CommonOptions.Data(), method = CommonOptions.Method(TrainingMethods.All);
        Option<ComplementaryPattern> pattern = CommonOptions.Pattern();
        Option<int?> epochs = CommonOptions.Epochs();
        Option<int> seed = CommonOptions.Seed();
        Option<string> file = new("--out", "-o")
        {
            Description = "The ONNX file to write.",
            HelpName = "FILE.onnx",
            DefaultValueFactory = _ => "trained.onnx",
        };
        Option<bool> resume = new("--resume")
        {
            Description = "Go on from FILE.checkpoint, which an interrupted training left beside --out.",
        };
        Option<bool> test = new("--test")
        {
            Description = "Look at the test images, once, when the training is complete. "
                + "Without it only the accuracy on held-out training images is reported.",
        };
        Option<string[]> train = Tensors(
            "--train", "Learn these tensors although they look like constants: initializers of Add, Mul, Sub, Div or Concat, by name.");
        Option<string[]> freeze = Tensors(
            "--freeze", "Leave these tensors as they are, by name. A layer whose weights stay is not made sparse.");
        Option<string> bf16 = new("--bf16")
        {
            Description = "Multiply in bfloat16 while training: on, off, or auto, where the CPU has instructions for it. "
                + "--resume needs what it was.",
            DefaultValueFactory = _ => "auto",
        };
        bf16.AcceptOnlyFromAmong("auto", "on", "off");
        Option<string?> csv = new("--csv") { Description = "Append one row about this run to a CSV file.", HelpName = "FILE.csv" };
        Option<int> threads = CommonOptions.Threads(Environment.ProcessorCount, "training");
        Option<string?> json = CommonOptions.Json();
        var command = new Command("train", "Train a network, dense or under a complementary pattern, and write it as ONNX.")
        {
            model, data, method, pattern, epochs, seed, file, resume, test, train, freeze, bf16, csv, threads, json,
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
                Test = parsed.GetValue(test),
                TrainedTensors = parsed.GetValue(train) ?? [],
                FrozenTensors = parsed.GetValue(freeze) ?? [],
                BFloat16 = parsed.GetValue(bf16) switch { "on" => true, "off" => false, _ => null },
            };
            PrintTensors(output.Human, Trainer.Tensors(start, options));
            if (NoteOnLength(options, images.Train.Count) is { } note)
                output.Human.WriteLine(note);
            LibTorchSetup.Ensure(output.Human, cancellation);
            TrainingResult result = Train(output.Human, start, images, options, cancellation);
            result.Model.Save(target);
            if (!result.IsComplete)
                throw new InterruptedException($"Interrupted after {result.Steps} steps. '{target}' is usable (validation accuracy "
                    + $"{result.ValidationAccuracy:0.0%}); go on with the same command and --resume.");
            var report = new TrainJson(
                parsed.GetValue(model)!, images.Source.IsSample ? images.Name + "-sample" : images.Name,
                TrainingMethods.Name(options.Method),
                options.Method == TrainingMethod.Dense ? "1:1" : options.Pattern.ToString(),
                options.Method == TrainingMethod.Dense ? 0 : options.Pattern.Sparsity,
                options.Seed, options.Epochs, result.ValidationAccuracy, result.TestAccuracy,
                result.History.Count == 0 ? 0 : result.History.Average(epoch => epoch.Seconds),
                "./dovetail " + string.Join(' ', parsed.Tokens.Select(token => Reproduction.Quote(token.Value))), MachineFacts.Commit,
                [.. result.Tensors.Select(TrainJson.Tensor.Of)]);
            if (parsed.GetValue(csv) is { } table)
                AppendedTable.Append(table, TrainJson.CsvHeader, report.CsvRow());
            string tested = result.TestAccuracy is { } accuracy ? $", test accuracy {accuracy:0.00%}" : "";
            output.Human.WriteLine(
                $"Validation accuracy {result.ValidationAccuracy:0.00%}{tested}, in {result.Seconds:0} s. Wrote {target}.");
            output.WriteJson(report);
            return 0;
        }, CancellationToken.None));
        return command;
    }

    private static TrainingResult Train(
        IAnsiConsole console, OnnxModel model, ImageDataset data, TrainingOptions options, CancellationToken cancellation)
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
        return $"Note: this training is short for a sparsity that grows. In {options.Steps(images):N0} steps the density falls to "
            + $"{options.Pattern.Density:0.##%} in {updates} update{(updates == 1 ? "" : "s")} of the masks, "
            + $"and fewer than {TrainingOptions.LeastGrowthUpdates} cost accuracy: give --epochs {enough} or more, or more images.";
    }

    /// <summary>Before the hours of a training: the folder of checkpoint and model is made, and both files can be written.</summary>
    private static void CheckTargets(string target, string? csv)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(target)) is { } folder)
            Directory.CreateDirectory(folder);
        AtomicFile.CheckWritable(target);
        if (csv is not null)
            AppendedTable.CheckWritable(csv, TrainJson.CsvHeader);
    }

    /// <summary>By name what is learned and what stays, and why it stays; single numbers are counted.</summary>
    private static void PrintTensors(IAnsiConsole console, IReadOnlyList<TrainedTensor> tensors)
    {
        TrainedTensor[] learned = [.. tensors.Where(tensor => tensor.Use == TensorUse.Learned)];
        TrainedTensor[] statistics = [.. tensors.Where(tensor => tensor.Use == TensorUse.Updated)];
        TrainedTensor[] stay = [.. tensors.Where(tensor => tensor.Use == TensorUse.Fixed && tensor.Elements != 1)];
        int numbers = tensors.Count(tensor => tensor.Use == TensorUse.Fixed) - stay.Length;
        console.WriteLine($"Learned ({learned.Sum(tensor => tensor.Elements):N0} values): {Names(learned, tensor => tensor.Name)}");
        if (statistics.Length > 0)
            console.WriteLine($"Running statistics: {Names(statistics, tensor => tensor.Name)}");
        if (stay.Length + numbers > 0)
            console.WriteLine($"Not learned: {Names(stay, tensor => $"{tensor.Name} ({tensor.Reason})")}"
                + (numbers == 0 ? "" : $"{(stay.Length > 0 ? " and " : "")}{numbers} single number{(numbers == 1 ? "" : "s")}"));
    }

    private static string Names(TrainedTensor[] tensors, Func<TrainedTensor, string> name) =>
        string.Join(", ", tensors.Take(ShownTensors).Select(name))
        + (tensors.Length > ShownTensors ? $" and {tensors.Length - ShownTensors} more (--json names them)" : "");

    private static Option<string[]> Tensors(string name, string description) =>
        new(name) { Description = description, HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
}
