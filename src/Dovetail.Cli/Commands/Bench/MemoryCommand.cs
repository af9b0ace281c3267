using System.CommandLine;
using System.Globalization;
using Dovetail.Benchmarking;
using Dovetail.Cli.Commands.Run;
using Dovetail.Cli.Terminal;
using Dovetail.Core;
using Dovetail.Data.Tensors;
using Dovetail.Runtime;

namespace Dovetail.Cli.Commands.Bench;

/// <summary>The process that <see cref="ModelFacts"/> starts: loads a model, runs it once, and says by how much memory grew.</summary>
internal static class MemoryCommand
{
    private const string Status = "/proc/self/status";

    public static Command Create()
    {
        var model = new Argument<string>("MODEL");
        var threads = new Argument<int>("THREADS");
        var batch = new Argument<int>("BATCH");
        var files = new Option<string[]>("--input") { AllowMultipleArgumentsPerToken = true };
        Option<Dictionary<string, long>> dimensions = DimensionOption.Create();
        var command = new Command("memory-of", "Peak memory of one model.") { model, threads, batch, dimensions, files };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            // what every session needs, whatever its model
            using (DovetailSession.Create(Onnx.Zoo.ZooModels.Create("mlp", 1).ToBytes(), new DovetailSessionOptions(1)))
                GC.Collect();
            long before = Read("VmRSS:");
            using var session = DovetailSession.Create(parsed.GetValue(model)!, new DovetailSessionOptions(parsed.GetValue(threads)));
            var run = new ModelRun(session);
            var options = new BenchmarkOptions(Batch: parsed.GetValue(batch)) { Sizes = parsed.GetValue(dimensions)! };
            FileTensor[] inputs = [.. run.Inputs.Select(
                input => (parsed.GetValue(files) ?? []).FirstOrDefault(file => file.StartsWith($"{input.Name}=", StringComparison.Ordinal))
                    is { } file
                    ? InputFile.Read(file[(input.Name.Length + 1)..], input, PixelScaling.Default)
                    : Zeros(input, InputShapes.Of(input.Name, session.Inner.InputMetadata[input.Name], options)))];
            run.Run(inputs, parsed.GetValue(batch), new ImmediateProgress<double>(_ => { }), CancellationToken.None);
            Console.Out.WriteLine(Math.Max(0, Read("VmHWM:") - before).ToString(CultureInfo.InvariantCulture));
            return 0;
        });
        return command;
    }

    private static FileTensor Zeros(ModelInput input, long[] shape) =>
        new(Array.CreateInstance(input.ElementType, shape.Aggregate(1L, (product, size) => product * size)), shape);

    private static long Read(string key)
    {
        string line = File.ReadLines(Status).FirstOrDefault(text => text.StartsWith(key, StringComparison.Ordinal))
            ?? throw new DovetailException($"{Status} has no line {key}.");
        return long.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
