using System.Security.Cryptography;
using Dovetail.Core;
using Dovetail.Core.Files;

namespace Dovetail.Training.Native;

/// <summary>
/// Keeps the patched copy of a library in a folder named by the original's SHA-256, so that another
/// version of TorchSharp gets another copy. The original is never written to.
/// </summary>
internal sealed class PatchedLibraryCache(string? root)
{
    /// <summary>The file to load instead of <paramref name="original"/>.</summary>
    /// <param name="original">TorchSharp's library as NuGet brought it.</param>
    /// <param name="systemHasVersion">True where the system's libstdc++ is new enough: the original is returned and nothing
    /// written.</param>
    /// <exception cref="NativeLibraryException">The original cannot be read or patched.</exception>
    public PatchedLibrary Prepare(string original, bool systemHasVersion)
    {
        if (systemHasVersion)
            return new PatchedLibrary(original, IsPatched: false, TemporaryFolder: null);
        byte[] bytes = Read(original);
        byte[] patched = LibTorchSharpPatch.Apply(bytes, original);
        if (ReferenceEquals(bytes, patched))
            return new PatchedLibrary(original, IsPatched: false, TemporaryFolder: null);
        if (root is not null)
        {
            string path = Path.Combine(root, "native", Convert.ToHexStringLower(SHA256.HashData(bytes)), Path.GetFileName(original));
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                if (!Holds(path, patched))
                    AtomicFile.WriteAllBytes(path, patched);
                return new PatchedLibrary(path, IsPatched: true, TemporaryFolder: null);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or DovetailException)
            {
                // A cache that cannot be written is no reason to fail: a private folder serves this process.
            }
        }

        return InTemporaryFolder(original, patched);
    }

    private static PatchedLibrary InTemporaryFolder(string original, byte[] patched)
    {
        try
        {
            string folder = Core.Files.TemporaryFolders.Create("dovetail-");
            string path = Path.Combine(folder, Path.GetFileName(original));
            AtomicFile.WriteAllBytes(path, patched);
            return new PatchedLibrary(path, IsPatched: true, folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DovetailException)
        {
            throw new NativeLibraryException(
                $"No place to keep the adapted copy of {Path.GetFileName(original)}: neither the cache nor the temporary folder can be "
                + $"written ({error.Message}). " +
                $"Set {UserCache.Variable} to a folder that can be written.", error);
        }
    }

    private static bool Holds(string path, byte[] content) =>
        new FileInfo(path) is { Exists: true } info && info.Length == content.Length
        && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new NativeLibraryException($"TorchSharp's native library {path} cannot be read: {error.Message}", error);
        }
    }
}

/// <param name="Path">The file to load.</param>
/// <param name="IsPatched">False where the original serves.</param>
/// <param name="TemporaryFolder">A folder to delete once the file is loaded; null where the file stays.</param>
internal sealed record PatchedLibrary(string Path, bool IsPatched, string? TemporaryFolder);
