using Dovetail.Core.Files;

namespace Dovetail.Training.Native;

/// <summary>
/// Finds libtorch on this machine, without a network: first where the user says, then beside the application, in Dovetail's cache,
/// and in NuGet's folders of restored packages.
/// </summary>
public sealed class LibTorchLocator
{
    /// <summary>The environment variable that names a folder with libtorch's libraries.</summary>
    public const string Variable = "DOVETAIL_LIBTORCH";

    private readonly LibTorchPackage _package;

    /// <summary>Of this platform's libtorch, in this process's environment.</summary>
    /// <exception cref="NativeLibraryException">libtorch has no package for this platform.</exception>
    public LibTorchLocator() : this(LibTorchPackage.Require()) { }

    internal LibTorchLocator(LibTorchPackage package) => _package = package;

    /// <summary>What <see cref="Variable"/> says; null where it is not set.</summary>
    internal string? Given { get; init; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? Path.GetFullPath(folder) : null;

    internal IReadOnlyList<string> ApplicationFolders { get; init; } = NativeFiles.Folders;

    /// <summary>Dovetail's cache; null where the user has no home folder.</summary>
    internal string? CacheRoot { get; init; } = UserCache.Root;

    /// <summary>Where a project's NuGet configuration is looked for: from here upwards.</summary>
    internal string ConfigurationFolder { get; init; } = Environment.CurrentDirectory;

    /// <summary>Where the installer puts libtorch; null without a cache.</summary>
    public string? CacheFolder =>
        CacheRoot is null ? null : Path.Combine(CacheRoot, "libtorch", $"{_package.Id}-{LibTorchPackage.Version}");

    /// <summary>Null where libtorch is not on this machine.</summary>
    /// <exception cref="NativeLibraryException">
    /// <see cref="Variable"/> names a folder without libtorch; or NuGet's configuration cannot be read.
    /// </exception>
    public LibTorchLocation? Find()
    {
        if (Given is not null)
            return FindGiven();
        if (ApplicationFolders.FirstOrDefault(_package.IsIn) is { } beside)
            return new LibTorchLocation(beside, LibTorchOrigin.Application);
        if (CacheFolder is { } cache && _package.IsIn(cache))
            return new LibTorchLocation(cache, LibTorchOrigin.Cache);
        return new NuGetConfiguration(ConfigurationFolder).FindRestored(_package) is { } restored
            ? new LibTorchLocation(restored, LibTorchOrigin.NuGet)
            : null;
    }

    // A folder of libraries, or the unpacked archive of libtorch, which has them in lib.
    private LibTorchLocation FindGiven()
    {
        string folder = new[] { Given!, Path.Combine(Given!, "lib") }.FirstOrDefault(_package.IsIn) ?? throw new NativeLibraryException(
            $"{Variable} is '{Given}', where there is no {_package.Missing(Given!)}. " +
            $"Give a folder with the libraries of libtorch {LibTorchPackage.Version} for the CPU, or unset the variable.");
        return new LibTorchLocation(folder, LibTorchOrigin.Variable);
    }
}
