using System.Diagnostics;
using System.Globalization;
using Dovetail.Benchmarking;
using Dovetail.Core;
using Dovetail.Core.Files;
using Dovetail.Data.Tensors;
using Dovetail.Onnx.Model;
using Dovetail.Runtime;

namespace Dovetail.Cli.Commands.Bench;

/// <summary>What a model takes besides time.</summary>
/// <param name="FileBytes">As a file.</param>
/// <param name="PeakBytes">
/// Most that loading it and running it once adds to the resident memory of a process of its own; null where the system does not tell.
/// </param>
internal sealed record ModelFacts(long FileBytes, long? PeakBytes)
{
    private const string Verb = "memory-of";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    /// <exception cref="DovetailException">The temporary folder cannot be written.</exception>
    public static ModelFacts Of(OnnxModel model, BenchmarkOptions options, CancellationToken cancellation)
    {
        var folder = new DirectoryInfo(TemporaryFolders.Create("dovetail-memory-"));
        try
        {
            string path = Path.Combine(folder.FullName, "model.onnx");
            long bytes = model.Save(path);
            foreach ((int index, InputTensor input) in options.Inputs.Index())
                NpyFile.Write(InputPath(path, index), new FileTensor(input.Values, input.Shape));
            return new ModelFacts(bytes, OperatingSystem.IsLinux() ? Peak(path, options, cancellation) : null);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string InputPath(string model, int index) =>
        Path.ChangeExtension(model, string.Create(CultureInfo.InvariantCulture, $".{index}.npy"));

    private static long? Peak(string path, BenchmarkOptions options, CancellationToken cancellation)
    {
        string program = Environment.ProcessPath!, own = typeof(ModelFacts).Assembly.Location;
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        string[] command =
        [
            .. isHost ? (string[])[own] : [], Verb, path, options.Threads.ToString(CultureInfo.InvariantCulture),
            options.Batch.ToString(CultureInfo.InvariantCulture),
            .. options.Sizes.SelectMany(
                size => (string[])["--dim", string.Create(CultureInfo.InvariantCulture, $"{size.Key}={size.Value}")]),
            .. options.Inputs.Index().SelectMany(entry => (string[])["--input", $"{entry.Item.Name}={InputPath(path, entry.Index)}"]),
        ];
        using Process process = Process.Start(new ProcessStartInfo(program, command)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        using CancellationTokenRegistration end = cancellation.Register(() => process.Kill(entireProcessTree: true));
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellation);
        process.BeginErrorReadLine();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            return null;
        }

        cancellation.ThrowIfCancellationRequested();
        return process.ExitCode == 0 && long.TryParse(output.Result.Trim(), CultureInfo.InvariantCulture, out long bytes) ? bytes : null;
    }
}
