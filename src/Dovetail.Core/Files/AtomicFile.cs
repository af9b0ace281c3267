using System.Text;

namespace Dovetail.Core.Files;

/// <summary>
/// A file appears whole or not at all: written to a temporary name beside the target, flushed, renamed. A link stays, and the
/// file that it leads to is replaced; a device or a pipe is never replaced, but written to when all is known.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes through <paramref name="write"/>; on any error the target stays as it was and nothing is left behind.</summary>
    /// <exception cref="DovetailException">The folder is missing, not writable or full, or the path is a folder's; the message names the
    /// target.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        string full = FullName(path);
        if (SpecialFile.IsAt(full))
        {
            WriteThrough(path, full, write);
            return;
        }

        RemoveLitter(full);
        string temporary = Temporary(full);
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception error)
        {
            TryDelete(temporary);
            if (error is IOException or UnauthorizedAccessException)
                throw new DovetailException(
                    $"Cannot write '{path}': {error.Message.Replace(temporary, full, StringComparison.Ordinal).TrimEnd('.')}. Check that "
                    + "the folder exists, may be written and has room.", error);
            throw;
        }
    }

    public static void WriteAllText(string path, string text) =>
        Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes) =>
        Write(path, stream => stream.Write(bytes.Span));

    /// <summary>Finds out before long work whether <see cref="Write"/> would be refused: makes the temporary file, and deletes
    /// it.</summary>
    /// <exception cref="DovetailException">The folder is missing or not writable, or the path is a folder's.</exception>
    public static void CheckWritable(string path)
    {
        string full = FullName(path), folder = Path.GetDirectoryName(full)!; // a root is a folder
        if (SpecialFile.IsAt(full))
            return;
        if (!Directory.Exists(folder))
            throw new DovetailException($"Cannot write '{path}': there is no folder '{folder}'. Make it, or give another name.");
        string temporary = Temporary(full);
        try
        {
            using var stream = new FileStream(
                temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DovetailException($"Cannot write '{path}': no file can be made in '{folder}'. Check that it may be written and has "
                + "room, or give another name.", error);
        }
    }

    private static void WriteThrough(string path, string full, Action<Stream> write)
    {
        using var whole = new MemoryStream();
        write(whole);
        try
        {
            using var stream = new FileStream(full, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1);
            whole.WriteTo(stream);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DovetailException($"Cannot write '{path}': {error.Message.TrimEnd('.')}. It is a device or a pipe; give the name of "
                + "a file, or '-' for standard output where there is one.", error);
        }
    }

    // Where links lead; a link to what is not there yet leads there, too.
    private static string FullName(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string full = Path.GetFullPath(path);
        if (new FileInfo(full).LinkTarget is not null && File.ResolveLinkTarget(full, returnFinalTarget: true) is { } target)
            full = target.FullName;
        return Directory.Exists(full)
            ? throw new DovetailException($"Cannot write '{path}': it is a folder. Give the name of a file.")
            : full;
    }

    /// <summary>With the number of this process, so that another one can tell what a killed one left.</summary>
    private static string Temporary(string full) => $"{full}.{Environment.ProcessId}-{Path.GetRandomFileName()}.tmp";

    /// <summary>Deletes what processes that are gone left of this file; a kill gives no time to do it.</summary>
    private static void RemoveLitter(string full)
    {
        string? folder = Path.GetDirectoryName(full);
        if (!Directory.Exists(folder))
            return;
        string name = Path.GetFileName(full) + ".";
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder))
            {
                string file = Path.GetFileName(path);
                if (!file.StartsWith(name, StringComparison.Ordinal) || !file.EndsWith(".tmp", StringComparison.Ordinal))
                    continue;
                string middle = file[name.Length..^4];
                int dash = middle.IndexOf('-', StringComparison.Ordinal);
                if (dash > 0 && int.TryParse(middle[..dash], out int process) && process != Environment.ProcessId && !IsAlive(process))
                    TryDelete(path);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // a folder that cannot be listed can be written to nevertheless
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using var found = System.Diagnostics.Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // the first error is the one to report
        }
    }
}
