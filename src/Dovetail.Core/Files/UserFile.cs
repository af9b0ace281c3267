namespace Dovetail.Core.Files;

/// <summary>
/// Reads files that a user names, and no more than a file of their kind may hold: a pipe or a device would block for ever or fill the
/// memory, and is refused. Faults are <see cref="IOException"/>s whose words fit behind "cannot be read: ".
/// </summary>
public static class UserFile
{
    /// <summary>More than any text, table or configuration has.</summary>
    public const int LargestText = 1 << 28;

    /// <exception cref="IOException">It is no plain file, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static FileStream OpenRead(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new IOException("its name has a NUL in it");
        if (SpecialFile.IsAt(path))
            throw new IOException("it is a device, a pipe or a socket, expected a file");
        return File.OpenRead(path);
    }

    /// <param name="path">The file.</param>
    /// <param name="most">Bytes; a longer file is refused before it is read.</param>
    /// <exception cref="IOException">It is no plain file, longer, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] ReadAllBytes(string path, long most)
    {
        using FileStream stream = OpenRead(path);
        if (stream.Length > most)
            throw TooLong(stream.Length, most);
        var bytes = new byte[stream.Length];
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (stream.Length == 0 && stream.ReadByte() >= 0)
            throw new IOException("its length is not known (a file of the system?), expected a plain file");
        return read == bytes.Length ? bytes : bytes[..read];
    }

    /// <exception cref="IOException">It is no plain file, longer than <see cref="LargestText"/>, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string ReadAllText(string path)
    {
        using var reader = new StreamReader(new MemoryStream(ReadAllBytes(path, LargestText)));
        return reader.ReadToEnd();
    }

    /// <inheritdoc cref="ReadAllText"/>
    public static string[] ReadAllLines(string path)
    {
        using var reader = new StreamReader(new MemoryStream(ReadAllBytes(path, LargestText)));
        List<string> lines = [];
        while (reader.ReadLine() is { } line)
            lines.Add(line);
        return [.. lines];
    }

    private static IOException TooLong(long found, long most) => new($"it has {found} bytes, and {most} are the most that is read");
}
