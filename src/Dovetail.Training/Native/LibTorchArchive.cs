using System.IO.Compression;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Packaging.Signing;

namespace Dovetail.Training.Native;

/// <summary>The downloaded package: is it the pinned one, and its native files, unpacked.</summary>
internal static class LibTorchArchive
{
    /// <summary>NuGet's content hash of a package: of all but its signature, which differs from feed to feed.</summary>
    /// <returns>Null where the file is no package.</returns>
    public static string? ContentHash(string path, CancellationToken cancellation)
    {
        try
        {
            using var reader = new PackageArchiveReader(path);
            return reader.GetContentHash(cancellation);
        }
        catch (Exception error) when (error is InvalidDataException or PackagingException or SignatureException)
        {
            return null;
        }
    }

    /// <summary>Unpacks the native files and the licence: beside <paramref name="folder"/>, flushed, then renamed.</summary>
    /// <exception cref="NativeLibraryException">A library is not among them.</exception>
    public static void Unpack(
        LibTorchPackage package, string path, string folder, IProgress<LibTorchProgress>? progress, CancellationToken cancellation)
    {
        string temporary = folder + ".tmp"; // the lock's holder alone writes there
        if (Directory.Exists(temporary))
            Directory.Delete(temporary, recursive: true); // of a process that was ended
        Directory.CreateDirectory(temporary);
        try
        {
            using ZipArchive archive = ZipFile.OpenRead(path);
            string prefix = $"runtimes/{package.Rid}/native/";
            List<ZipArchiveEntry> entries =
            [
                .. archive.Entries.Where(entry => entry.FullName.StartsWith(prefix, StringComparison.Ordinal)
                    || entry.FullName.StartsWith("LICENSE", StringComparison.Ordinal)).Where(entry => entry.Name.Length > 0),
            ];
            long total = entries.Sum(entry => entry.Length), done = 0;
            var buffer = new byte[1 << 20];
            foreach (ZipArchiveEntry entry in entries)
            {
                using Stream source = entry.Open();
                using var target = new FileStream(
                    Path.Combine(temporary, entry.Name), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1);
                for (int read; (read = source.Read(buffer)) > 0;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    target.Write(buffer, 0, read);
                    progress?.Report(new LibTorchProgress(LibTorchStage.Unpacking, null, done += read, total));
                }

                target.Flush(flushToDisk: true);
            }

            if (package.Missing(temporary) is { } missing)
                throw new NativeLibraryException($"The package {package.Name} lacks {missing}. Please file it as a bug.");
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true); // it lacks a library, or it would have been used
            Directory.Move(temporary, folder);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
    }
}
