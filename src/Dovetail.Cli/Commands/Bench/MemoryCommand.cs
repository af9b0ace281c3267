using System.CommandLine;
using System.Globalization;
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
        var command = new Command("memory-of", "Peak memory of one model.") { model, threads, batch };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            // what every session needs, whatever its model
            using (DovetailSession.Create(Onnx.Zoo.ZooModels.Create("mlp", 1).ToBytes(), new DovetailSessionOptions(1)))
                GC.Collect();
            long before = Read("VmRSS:");
            using var session = DovetailSession.Create(parsed.GetValue(model)!, new DovetailSessionOptions(parsed.GetValue(threads)));
            var run = new ModelRun(session);
            FileTensor[] inputs = [.. run.Inputs.Select(input => Zeros(input, parsed.GetValue(batch)))];
            run.Run(inputs, parsed.GetValue(batch), new ImmediateProgress<double>(_ => { }), CancellationToken.None);
            Console.Out.WriteLine(Math.Max(0, Read("VmHWM:") - before).ToString(CultureInfo.InvariantCulture));
            return 0;
        });
        return command;
    }

    private static FileTensor Zeros(ModelInput input, int batch)
    {
        long[] shape = [.. input.Shape.Select((size, axis) => size >= 0 ? size : axis == 0 ? (long)batch : 1)];
        return new FileTensor(Array.CreateInstance(input.ElementType, shape.Aggregate(1L, (product, size) => product * size)), shape);
    }

    private static long Read(string key)
    {
        string line = File.ReadLines(Status).FirstOrDefault(text => text.StartsWith(key, StringComparison.Ordinal))
            ?? throw new DovetailException($"{Status} has no line {key}.");
        return long.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
