namespace Dovetail.Core.Files;

/// <summary>Folders under the system's temporary folder.</summary>
public static class TemporaryFolders
{
    /// <returns>The path of a new, empty folder, which is the caller's to delete.</returns>
    /// <exception cref="DovetailException">The temporary folder is missing, full or not writable.</exception>
    public static string Create(string prefix)
    {
        try
        {
            return Directory.CreateTempSubdirectory(prefix).FullName;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DovetailException(
                $"No folder can be made in '{Path.GetTempPath()}', the temporary folder. Check that it exists, may be written and has "
                + "room, or name another by TMPDIR.", error);
        }
    }
}
