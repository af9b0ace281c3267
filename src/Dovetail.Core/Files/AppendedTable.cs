using System.Diagnostics;
using System.Text;

namespace Dovetail.Core.Files;

/// <summary>
/// A table in a text file that several processes append rows to. Each row is written under an exclusive lock of the file; whoever finds it
/// empty writes the header first. A row that cannot be written whole is taken back.
/// </summary>
public static class AppendedTable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30), s_pause = TimeSpan.FromMilliseconds(10);

    /// <param name="header">The names of the columns, without an end of line.</param>
    /// <param name="row">Without an end of line.</param>
    /// <exception cref="DovetailException">
    /// The file cannot be written, is held by another process for half a minute, or is another table; the message repeats the row.
    /// </exception>
    public static void Append(string path, string header, string row) => Append(path, header, row, s_patience);

    /// <summary>Finds out before long work whether <see cref="Append(string, string, string)"/> would be refused. Makes no file.</summary>
    /// <exception cref="DovetailException">The file cannot be written, or is another table.</exception>
    public static void CheckWritable(string path, string header)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            AtomicFile.CheckWritable(path);
            return;
        }

        if (SpecialFile.IsAt(path))
            return;
        using FileStream file = Open(path, FileMode.Open, s_patience);
        CheckHeader(path, file, header);
    }

    internal static void Append(string path, string header, string row, TimeSpan patience)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (SpecialFile.IsAt(path))
        {
            AtomicFile.WriteAllText(path, $"{header}\n{row}\n");
            return;
        }

        try
        {
            using FileStream file = Open(path, FileMode.OpenOrCreate, patience);
            CheckHeader(path, file, header);
            long end = file.Length;
            try
            {
                file.Position = end;
                file.Write(Encoding.UTF8.GetBytes(end == 0 ? $"{header}\n{row}\n" : EndsALine(file) ? $"{row}\n" : $"\n{row}\n"));
                file.Flush(flushToDisk: true);
            }
            catch (IOException)
            {
                file.SetLength(end);
                throw;
            }
        }
        catch (Exception error) when (error is DovetailException or IOException)
        {
            throw new DovetailException($"{error.Message.TrimEnd('.')}. The row that it lacks: {row}", error);
        }
    }

    /// <summary>Opens the file for this process alone; on Unix the lock binds those who ask for it, as .NET does.</summary>
    private static FileStream Open(string path, FileMode mode, TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (error.GetType() == typeof(IOException) && Stopwatch.GetElapsedTime(start) < patience)
            {
                Thread.Sleep(s_pause); // another process has it
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new DovetailException(
                    $"Cannot write '{path}': {error.Message.TrimEnd('.')}. "
                    + "Check that it may be written and that no other program holds it, or give another name.", error);
            }
        }
    }

    private static void CheckHeader(string path, FileStream file, string header)
    {
        if (file.Length == 0)
            return;
        using var reader = new StreamReader(file, leaveOpen: true);
        string found = reader.ReadLine() ?? "";
        if (found != header)
            throw new DovetailException($"'{path}' is another table: its first line is '{found}', expected '{header}'. Give another name.");
    }

    private static bool EndsALine(FileStream file)
    {
        file.Position--;
        return file.ReadByte() == '\n';
    }
}
