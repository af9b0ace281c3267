using System.Runtime.InteropServices;

namespace Dovetail.Training.Native;

/// <summary>The NuGet package of the libtorch that TorchSharp was built for, on one platform. Pinned: other bytes are refused.</summary>
/// <param name="Rid">The platform, as NuGet names it.</param>
/// <param name="ContentHash">Base64 SHA-512 of the package without its signature, as in NuGet's lock files: the same on every feed.</param>
/// <param name="PackageBytes">Size of the package.</param>
/// <param name="InstalledBytes">Size of its native files.</param>
/// <param name="Libraries">What TorchSharp's library links to, each after those that it needs.</param>
public sealed record LibTorchPackage(
    string Rid, string ContentHash, long PackageBytes, long InstalledBytes, IReadOnlyList<string> Libraries)
{
    public const string Version = "2.10.0";

    public static IReadOnlyList<LibTorchPackage> All { get; } =
    [
        new(
            "linux-x64", "YGd/F5T77Urmui3LeXOgXP8xqY+RpSZFcMBwV+tBDYMMtxppKyi8O4ajnWSNSmlSctr6KGvSmfGRhmxRGYfbuA==",
            128_200_806, 498_006_380, ["libc10.so", "libtorch_cpu.so", "libtorch.so"]),
        new(
            "osx-arm64", "i8aTC3F+7JI65Jdr4MfgdVdZpFU/FCn2G1b/yc4Z8FauDgpc2cji3mwDfQy+3KdD+rpDBgCiAdqs8o0v7mDNXw==",
            56_910_439, 245_113_008, ["libc10.dylib", "libtorch_cpu.dylib", "libtorch.dylib"]),
        new(
            "win-arm64", "GCJWQsvmhvAE36CzLwIDRdWw+GWWf+C1UWqWtTlZg9wlmA3YAcvY4YGHl2BfZuRt64mScxwYU49Q/jybC+qogQ==",
            41_962_447, 153_715_712, ["c10.dll", "torch_cpu.dll", "torch.dll"]),
        new(
            "win-x64", "Gr1gCbueixwQIEnWiMXyAs4/uAFBar03K+AxZm9BY3t17MFaX9rEIe9Vxz+Cguo9G6dXXOeGAO3W1OEhax74Mw==",
            79_854_046, 267_909_856, ["c10.dll", "torch_cpu.dll", "torch.dll"]),
    ];

    /// <summary>This process's platform's; null where there is none.</summary>
    public static LibTorchPackage? Current { get; } = All.FirstOrDefault(package => package.Rid == CurrentRid);

    /// <summary>Its name on a feed.</summary>
    public string Id => $"libtorch-cpu-{Rid}";

    /// <summary>The package with its version, as commands take it.</summary>
    public string Name => $"{Id}@{Version}";

    /// <exception cref="NativeLibraryException">libtorch has no package for this platform.</exception>
    internal static LibTorchPackage Require() => Current ?? throw new NativeLibraryException(
        $"libtorch {Version} has no NuGet package for {CurrentRid}, only for {string.Join(", ", All.Select(package => package.Rid))}. " +
        "Verbs that need no training work here.");

    /// <summary>True where the folder holds everything that TorchSharp's library links to.</summary>
    internal bool IsIn(string folder) => Missing(folder) is null;

    /// <summary>The first of them that the folder has not; null where it has all.</summary>
    internal string? Missing(string folder) => Libraries.FirstOrDefault(library => !File.Exists(Path.Combine(folder, library)));

    // Not RuntimeInformation.RuntimeIdentifier, which names the distribution where that built .NET itself.
    private static string CurrentRid
    {
        get
        {
            bool musl = RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
                || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal);
            string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : musl ? "linux-musl" : "linux";
            return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        }
    }
}
