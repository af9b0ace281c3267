using System.Text.Json;
using NuGet.Configuration;

namespace Dovetail.Training.Native;

/// <summary>What the user's NuGet.Config files say, from a folder upwards, with those of the user and the machine.</summary>
internal sealed class NuGetConfiguration
{
    private readonly ISettings _settings;

    /// <exception cref="NativeLibraryException">A file cannot be read.</exception>
    public NuGetConfiguration(string folder)
    {
        try
        {
            _settings = Settings.LoadDefaultSettings(folder);
        }
        catch (NuGetConfigurationException error)
        {
            throw new NativeLibraryException($"NuGet's configuration cannot be read: {error.Message}", error);
        }
    }

    /// <summary>The folders where NuGet keeps restored packages: its global one, and what the user names beside it.</summary>
    public IReadOnlyList<string> PackageFolders =>
        [SettingsUtility.GetGlobalPackagesFolder(_settings), .. SettingsUtility.GetFallbackPackageFolders(_settings)];

    /// <summary>The enabled sources that may serve the package (package source mapping), folders first.</summary>
    public IReadOnlyList<PackageSource> Sources(string packageId)
    {
        PackageSourceMapping mapping = PackageSourceMapping.GetPackageSourceMapping(_settings);
        IReadOnlyList<string> allowed = mapping.IsEnabled ? mapping.GetConfiguredPackageSources(packageId) : [];
        return
        [
            .. PackageSourceProvider.LoadPackageSources(_settings)
                .Where(source => source.IsEnabled)
                .Where(source => !mapping.IsEnabled || allowed.Contains(source.Name, StringComparer.OrdinalIgnoreCase))
                .OrderBy(source => source.IsHttp), // stable
        ];
    }

    /// <summary>The native files of the package where NuGet restored it, with the pinned content; null where it did not.</summary>
    public string? FindRestored(LibTorchPackage package)
    {
        foreach (string root in PackageFolders)
        {
            string folder = Path.Combine(root, package.Id, LibTorchPackage.Version);
            string native = Path.Combine(folder, "runtimes", package.Rid, "native");
            if (ContentHash(Path.Combine(folder, ".nupkg.metadata")) == package.ContentHash && package.IsIn(native))
                return native;
        }

        return null;
    }

    // NuGet writes this file last: where it is, the package is whole.
    private static string? ContentHash(string metadata)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(metadata));
            return json.RootElement.TryGetProperty("contentHash", out JsonElement hash) ? hash.GetString() : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
