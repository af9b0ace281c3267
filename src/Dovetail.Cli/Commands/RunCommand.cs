using System.CommandLine;
using Dovetail.Cli.Codesign;
using Dovetail.Runtime.OnnxRuntime;
using Dovetail.Training.Data;
using Spectre.Console;

namespace Dovetail.Cli.Commands;

/// <summary><c>dovetail run</c>: a model over the test images of a data set.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "ONNX file: dense, sparse or packed, fp32 or int8." };
        Option<string> data = CommonOptions.Data();
        Option<int> threads = CommonOptions.Threads(Environment.ProcessorCount, "ONNX Runtime");
        Option<int> batch = CommonOptions.Positive("--batch", "Images of one run.", 250);
        Option<string?> json = CommonOptions.Json();
        var command = new Command("run", "Run a model in ONNX Runtime over the test images of a data set and report its accuracy.") { model, data, threads, batch, json };
        command.SetAction((parsed, cancellation) => Task.Run(() => // off this thread, so that Ctrl-C can wait for it
        {
            var output = new VerbOutput(parsed.GetValue(json));
            string path = parsed.GetValue(model)!;
            var images = new JobImages(FashionMnist.LoadNamedOrFolder(parsed.GetValue(data)!));
            using var session = DovetailSession.Create(path, new DovetailSessionOptions(parsed.GetValue(threads)));
            byte[] labels = images.Data.Test.Labels;
            float[] logits = ProgressLine.RunShare(output.Human, "Running", progress => Evaluation.Logits(
                session, images.Test(), images.Shape, parsed.GetValue(batch),
                new ImmediateProgress<int>(done => progress.Report((double)done / labels.Length)), cancellation));
            double accuracy = Evaluation.Accuracy(logits, labels);
            output.Human.MarkupLineInterpolated($"{path}: [bold]{accuracy:0.00%}[/] of {labels.Length:N0} test images right ({images.Data.Name}, {images.Data.Source}).");
            output.WriteJson(new { model = path, data = images.Data.Name, source = images.Data.Source.ToString(), test_images = labels.Length, accuracy });
            return 0;
        }, CancellationToken.None));
        return command;
    }
}
