using Dovetail.Core.Files;

namespace Dovetail.Rtl;

/// <summary>A folder under the system's temporary folder, deleted with its content at the end.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = TemporaryFolders.Create("dovetail-rtl-");

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // the system's clean-up of temporary folders takes what is left
        }
    }
}
