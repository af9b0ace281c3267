using System.Globalization;
using Dovetail.Core.Files;
using NuGet.Configuration;

namespace Dovetail.Training.Native;

/// <summary>
/// Brings libtorch to this machine, from the user's own NuGet sources into Dovetail's cache.
/// 1. What is here already is used (<see cref="LibTorchLocator"/>).
/// 2. One process at a time: the others wait for it and use what it brought.
/// 3. The package comes from the first source that has it, into a partial file that survives an interruption.
/// 4. Its content must have the pinned hash; then its native files are unpacked beside their place, and the folder is renamed.
/// </summary>
public sealed class LibTorchInstaller
{
    private readonly LibTorchPackage _package;
    private readonly LibTorchLocator _locator;

    /// <summary>For this platform, in this process's environment.</summary>
    /// <exception cref="NativeLibraryException">libtorch has no package for this platform.</exception>
    public LibTorchInstaller() : this(LibTorchPackage.Require(), new LibTorchLocator()) { }

    internal LibTorchInstaller(LibTorchPackage package, LibTorchLocator locator) => (_package, _locator) = (package, locator);

    /// <summary>The first pause before a source is asked again; it doubles.</summary>
    internal TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <param name="progress">Called as bytes arrive.</param>
    /// <returns>Where libtorch is.</returns>
    /// <exception cref="NativeLibraryException">It cannot be had; the message says what was looked for, where, and what to do.</exception>
    /// <exception cref="OperationCanceledException">What has come is kept for the next attempt.</exception>
    public async Task<LibTorchLocation> InstallAsync(IProgress<LibTorchProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (_locator.Find() is { } found)
            return found;
        string folder = _locator.CacheFolder ?? throw new NativeLibraryException(
            $"There is no cache folder for libtorch {LibTorchPackage.Version}. Set {UserCache.Variable} to a folder that can be written.");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            await using FileStream only = await FileLock.AcquireAsync(folder + ".lock", Waiting, cancellation);
            if (_locator.Find() is { } meanwhile)
                return meanwhile;
            string package = folder + ".nupkg.part";
            CheckRoom(folder, package);
            await DownloadAsync(package, progress, cancellation);
            LibTorchArchive.Unpack(_package, package, folder, progress, cancellation);
            File.Delete(package);
            return new LibTorchLocation(folder, LibTorchOrigin.Cache);

            void Waiting() => progress?.Report(new LibTorchProgress(LibTorchStage.Waiting, null, 0, _package.PackageBytes));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new NativeLibraryException(
                $"{folder} cannot be written: {error.Message.TrimEnd('.')}. libtorch {LibTorchPackage.Version} needs " +
                $"{Megabytes(_package.InstalledBytes + _package.PackageBytes)} of room there while it is installed. " +
                $"Make room, or set {UserCache.Variable} to another folder; what has come so far is kept.", error);
        }
    }

    private async Task DownloadAsync(string part, IProgress<LibTorchProgress>? progress, CancellationToken cancellation)
    {
        var configuration = new NuGetConfiguration(_locator.ConfigurationFolder);
        var failures = new List<string>();
        foreach (PackageSource source in configuration.Sources(_package.Id))
        {
            var download = new PackageDownload(source, _package, Pause);
            if (await download.TryFetchAsync(part, progress, cancellation) is not { } failure)
                return;
            failures.Add($"{source.Name} ({source.Source}): {failure}");
        }

        string sources = failures.Count == 0
            ? "no NuGet source is enabled that may serve it"
            : "its NuGet sources have it not: " + string.Join("; ", failures);
        throw new NativeLibraryException(
            $"libtorch {LibTorchPackage.Version} (NuGet package {_package.Id}, {Megabytes(_package.PackageBytes)}), " +
            $"which training needs, cannot be had: {sources}. " +
            $"Nor is it in {_locator.CacheFolder} or {string.Join(" or ", configuration.PackageFolders)}. " +
            "Run this again when a source can be reached (what has come is kept); " +
            $"or let NuGet bring it, 'dotnet package download {_package.Name}'; " +
            $"or set {LibTorchLocator.Variable} to a folder with its libraries.");
    }

    private void CheckRoom(string folder, string part)
    {
        string parent = Path.GetDirectoryName(folder)!;
        long here = new FileInfo(part) is { Exists: true } info ? info.Length : 0;
        long needed = Math.Max(0, _package.PackageBytes - here) + _package.InstalledBytes;
        if (parent.StartsWith(@"\\", StringComparison.Ordinal))
            return; // a share of another machine has no drive to ask
        long free = new DriveInfo(parent).AvailableFreeSpace;
        if (free < needed)
            throw new NativeLibraryException(
                $"{parent} has {Megabytes(free)} of free space, and libtorch {LibTorchPackage.Version} needs {Megabytes(needed)} " +
                $"while it is installed. Make room, or set {UserCache.Variable} to a folder on another disk.");
    }

    internal static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB");
}
