using Dovetail.Training.Native;
using Spectre.Console;

namespace Dovetail.Cli.Terminal;

/// <summary>Brings libtorch when a verb first needs it: what it is, how large, where from and where to, then a progress bar.</summary>
internal static class LibTorchSetup
{
    /// <summary>Says nothing where libtorch is here.</summary>
    /// <exception cref="NativeLibraryException">It cannot be had.</exception>
    /// <exception cref="InterruptedException">Ctrl-C; what has come is kept.</exception>
    public static void Ensure(IAnsiConsole console, CancellationToken cancellation)
    {
        var locator = new LibTorchLocator();
        if (locator.Find() is not null)
            return;
        LibTorchPackage package = LibTorchPackage.Current!;
        console.WriteLine(
            $"Training needs libtorch {LibTorchPackage.Version}, which is not on this machine yet: " +
            $"{package.PackageBytes / 1e6:0} MB from your NuGet sources ({package.Id}), " +
            $"{package.InstalledBytes / 1e6:0} MB in {locator.CacheFolder}. Once.");
        try
        {
            LibTorchLocation location = Install(console, cancellation);
            console.WriteLine($"libtorch {LibTorchPackage.Version} is in {location.Folder}.");
        }
        catch (OperationCanceledException)
        {
            throw new InterruptedException(
                "Interrupted while libtorch was being brought. What has come is kept: the same command goes on from there.");
        }
    }

    private static LibTorchLocation Install(IAnsiConsole console, CancellationToken cancellation) =>
        ProgressLine.On(console)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(),
                new DownloadedColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var tasks = new Dictionary<LibTorchStage, ProgressTask>();
                return new LibTorchInstaller().InstallAsync(new ImmediateProgress<LibTorchProgress>(step =>
                {
                    if (!tasks.TryGetValue(step.Stage, out ProgressTask? task))
                    {
                        tasks.Values.ToList().ForEach(earlier => earlier.StopTask());
                        tasks[step.Stage] = task = context.AddTask(Words(step.Stage));
                    }

                    task.Description = Markup.Escape($"{Words(step.Stage)} {step.Source}".TrimEnd());
                    task.MaxValue = Math.Max(step.TotalBytes, 1);
                    task.Value = step.Bytes;
                }), cancellation).GetAwaiter().GetResult();
            });

    private static string Words(LibTorchStage stage) => stage switch
    {
        LibTorchStage.Waiting => "waiting for another process that brings it",
        LibTorchStage.Downloading => "libtorch from",
        LibTorchStage.Checking => "checking what came from",
        _ => "unpacking libtorch",
    };
}
