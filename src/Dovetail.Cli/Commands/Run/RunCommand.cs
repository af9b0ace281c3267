using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Dovetail.Cli.Codesign;
using Dovetail.Cli.Reports.Results;
using Dovetail.Cli.Terminal;
using Dovetail.Core.Files;
using Dovetail.Data;
using Dovetail.Data.Tensors;
using Dovetail.Kernels;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;
using Spectre.Console;

namespace Dovetail.Cli.Commands.Run;

/// <summary><c>dovetail run</c>: a model over files, or over the test images of a data set.</summary>
internal static class RunCommand
{
    private const int DefaultTop = 5, MostShown = 20, DefaultBatch = 250;

    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "ONNX file: dense, sparse or packed, fp32 or int8." };
        var inputs = new Option<string[]>("--input", "-i")
        {
            Description = "Inputs: .npy (any numbers or bool; C order), PNG, JPEG or IDX images. Several files of one input become a "
                + "batch; a model with several inputs takes NAME=FILE. Nothing is resized.",
            HelpName = "[NAME=]FILE",
            AllowMultipleArgumentsPerToken = true,
        };
        var outputs = new Option<string[]>("--output", "-o", "--out")
        {
            Description = "Write an output as .npy, or all of them as .json. May be repeated.",
            HelpName = "[NAME=]FILE",
        };
        var top = new Option<int?>("--top")
        {
            Description = $"Show the K greatest classes of every input. Default: {DefaultTop} where the first output is [inputs, classes] "
                + "and none is written.",
            HelpName = "K",
        };
        top.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
                result.AddError($"--top is {value}, expected 1 or more.");
        });
        var labels = new Option<string?>("--labels") { Description = "Text file with a class's name on each line.", HelpName = "FILE" };
        Option<float[]> scale = Numbers("--scale", "Bytes (images, uint8 .npy) become floats as (x · scale − mean) / std; default 1/255.");
        Option<float[]> mean = Numbers("--mean", "One number, or one a channel, separated by commas; default 0.");
        Option<float[]> deviation = Numbers("--std", "One number, or one a channel, separated by commas; default 1.");
        Option<string> data = CommonOptions.Data();
        Option<int> threads = CommonOptions.Threads(Environment.ProcessorCount, "ONNX Runtime");
        Option<int> batch = CommonOptions.Positive("--batch", "Inputs of one run, where the model leaves it open.", DefaultBatch, "-b");
        Option<string?> json = CommonOptions.Json();
        var command = new Command("run", "Run a model in ONNX Runtime: over files (--input), or over the test images of a data set for its "
            + "accuracy.")
        {
            model, inputs, outputs, top, labels, scale, mean, deviation, data, threads, batch, json,
        };
        command.Validators.Add(result =>
        {
            if (result.IsGiven(inputs) && result.IsGiven(data))
                result.AddError("--data is a set of test images, and --input other files; give one of them.");
            if (result.IsGiven(inputs))
                return;
            foreach (Option option in ((Option[])[outputs, top, labels, scale, mean, deviation]).Where(result.IsGiven))
                result.AddError($"{option.Name} belongs to --input, which is not given.");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string path = parsed.GetValue(model)!;
            using DovetailSession session = Open(path, parsed.GetValue(threads));
            if (parsed.GetValue(inputs) is { Length: > 0 } files)
            {
                var scaling = new PixelScaling(
                    parsed.GetValue(scale) is [var factor, ..] ? factor : PixelScaling.Default.Scale,
                    parsed.GetValue(mean) is { Length: > 0 } means ? means : PixelScaling.Default.Mean,
                    parsed.GetValue(deviation) is { Length: > 0 } deviations ? deviations : PixelScaling.Default.Deviation);
                Option? ofBytes = ((Option[])[scale, mean, deviation]).FirstOrDefault(parsed.CommandResult.IsGiven);
                int? asked = parsed.CommandResult.IsGiven(batch) ? parsed.GetValue(batch) : null;
                RunFiles(
                    output, path, session, files, parsed.GetValue(outputs) ?? [], parsed.GetValue(top), parsed.GetValue(labels),
                    (scaling, ofBytes?.Name), asked, cancellation);
            }
            else
            {
                RunDataSet(output, path, session, parsed.GetValue(data)!, parsed.GetValue(batch), cancellation);
            }

            return 0;
        }, CancellationToken.None));
        return command;
    }

    private static DovetailSession Open(string path, int threads)
    {
        ModelSource.CheckFile(path);
        try
        {
            return DovetailSession.Create(path, new DovetailSessionOptions(threads));
        }
        catch (OperatorException)
        {
            _ = OnnxModel.Load(path); // a file that is damaged or no model is told here in the words of the other verbs
            throw;
        }
    }

    private static void RunFiles(
        VerbOutput output, string path, DovetailSession session, string[] files, string[] targets, int? top, string? labelsFile,
        (PixelScaling Scaling, string? Option) pixels, int? batch, CancellationToken cancellation)
    {
        var run = new ModelRun(session);
        if (batch is not null && run.Inputs.Count > 1)
            throw new TensorFileException(
                $"--batch has no effect: the model has {run.Inputs.Count} inputs, and their files run at once. Leave it out.");
        (string Path, string? Output)[] written = [.. targets.Select(target => OutputFile.Parse(target, run.OutputNames))];
        string[] labels = labelsFile is null ? [] : ReadLabels(labelsFile);
        IReadOnlyDictionary<string, IReadOnlyList<string>> assigned = run.Assign(files);
        FileTensor[][] read =
            [.. run.Inputs.Select(input => assigned[input.Name].Select(file => InputFile.Read(file, input, pixels.Scaling)).ToArray())];
        if (pixels.Option is not null && !read.Any(files => files.Any(file => file.IsScaled)))
            throw new TensorFileException(
                $"{pixels.Option} has no effect: it is for bytes that become floats, and no input has such. Leave it out.");
        FileTensor[] tensors = [.. run.Inputs.Zip(read, (input, files) => InputBatch.Stack(files, assigned[input.Name]))];
        IReadOnlyList<FileTensor> results = ProgressLine.RunShare(
            output.Human, "Running", progress => run.Run(tensors, batch ?? DefaultBatch, progress, cancellation));
        foreach ((string target, string? name) in written)
            OutputFile.Write(target, name, run.OutputNames, results);
        foreach ((string name, FileTensor result) in run.OutputNames.Zip(results))
            output.Human.WriteLine($"{name}: {result}");
        bool ranks = top is not null || labelsFile is not null;
        if (ranks && !TopClasses.AppliesTo(results[0]))
            throw new TensorFileException(
                $"{(top is null ? "--labels" : "--top")}: the first output, '{run.OutputNames[0]}', is {results[0]}; "
                + "expected floating-point [inputs, classes]. Write it with --output instead.");
        IReadOnlyList<IReadOnlyList<ClassScore>>? ranking = (ranks || written.Length == 0) && TopClasses.AppliesTo(results[0])
            ? TopClasses.Of(results[0], top ?? DefaultTop, labels)
            : null;
        if (ranking is not null)
            Print(output.Human, ranking);
        output.WriteJson(new RunJson(
            path,
            [.. run.Inputs.Zip(tensors, (input, tensor) => new RunInputJson(input.Name, assigned[input.Name], tensor.Shape))],
            [.. run.OutputNames.Zip(results, (name, result) => new RunOutputJson(name, result.Shape))],
            [.. written.Select(target => target.Path)], ranking));
    }

    private static void RunDataSet(
        VerbOutput output, string path, DovetailSession session, string data, int batch, CancellationToken cancellation)
    {
        var images = new JobImages(FashionMnist.LoadNamedOrFolder(data));
        byte[] labels = images.Data.Test.Labels;
        batch = BatchFor(new ModelRun(session).Inputs, images, batch);
        float[] logits = ProgressLine.RunShare(output.Human, "Running", progress => Evaluation.Logits(
            session, images.Test(), images.Shape, batch,
            new ImmediateProgress<int>(done => progress.Report((double)done / labels.Length)), cancellation));
        double accuracy = Evaluation.Accuracy(logits, labels);
        output.Human.MarkupInterpolated($"{path}: [bold]{accuracy:0.00%}[/] of {labels.Length:N0} test images right ");
        output.Human.MarkupLineInterpolated($"({images.Data.Name}, {images.Data.Source}).");
        output.WriteJson(new RunDataJson(path, images.Data.Name, images.Data.Source.ToString(), labels.Length, accuracy));
    }

    /// <summary>Images of one run: as the model fixes it, else as asked for.</summary>
    /// <exception cref="TensorFileException">The images do not fit the model.</exception>
    private static int BatchFor(IReadOnlyList<ModelInput> inputs, JobImages images, int asked)
    {
        int count = images.Data.Test.Count;
        if (inputs is not [var input] || input.ElementType != typeof(float) || input.Shape is not [var first, ..]
            || !input.Fits([first < 0 ? asked : first, .. images.Shape]))
            throw new TensorFileException(
                $"The model takes {string.Join(" and ", inputs)}, and the test images of {images.Data.Name} are float [{count}, "
                + $"{string.Join(", ", images.Shape)}]. Give it files of its own with --input, or a data set that fits with --data.");
        if (first == 0 || (first > 0 && count % first != 0))
            throw new TensorFileException($"The model takes {input}, {first} images at once, and there are {count} test images of "
                + $"{images.Data.Name}; expected a multiple. Write the model with an open batch.");
        return first < 0 ? asked : first;
    }

    private static void Print(IAnsiConsole console, IReadOnlyList<IReadOnlyList<ClassScore>> ranking)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("Input");
        table.AddColumns(new TableColumn("Class").RightAligned(), new TableColumn("Label"), new TableColumn("Output")
            .RightAligned(), new TableColumn("Probability").RightAligned());
        for (int input = 0; input < Math.Min(ranking.Count, MostShown); input++)
            for (int place = 0; place < ranking[input].Count; place++)
            {
                ClassScore score = ranking[input][place];
                table.AddRow(
                    place == 0 ? $"{input}" : "", $"{score.Class}", Markup.Escape(score.Label ?? ""), $"{score.Value:0.0000}",
                    $"{score.Probability:0.00%}");
            }

        console.Write(table);
        if (ranking.Count > MostShown)
            console.WriteLine($"The first {MostShown} of {ranking.Count:N0} inputs; --json has all of them.");
    }

    private static string[] ReadLabels(string path)
    {
        try
        {
            return [.. UserFile.ReadAllLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TensorFileException($"The labels file '{path}' cannot be read: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private static Option<float[]> Numbers(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "X[,X…]",
        CustomParser = result => ParseNumbers(name, result),
    };

    private static float[]? ParseNumbers(string name, ArgumentResult result)
    {
        string[] texts = result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries);
        var numbers = new float[texts.Length];
        for (int i = 0; i < texts.Length; i++)
            if (!float.TryParse(texts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]) || !float.IsFinite(numbers[i])
                || (name != "--mean" && numbers[i] == 0))
            {
                string expected = name switch
                {
                    "--scale" => "a number other than 0",
                    "--std" => "numbers other than 0, separated by commas",
                    _ => "numbers separated by commas",
                };
                result.AddError($"{name} is '{result.Tokens[0].Value}', expected {expected}.");
                return null;
            }

        if (name == "--scale" && numbers.Length != 1)
        {
            result.AddError($"{name} has {numbers.Length} numbers, expected one.");
            return null;
        }

        return numbers;
    }
}
