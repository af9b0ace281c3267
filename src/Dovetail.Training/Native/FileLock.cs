namespace Dovetail.Training.Native;

/// <summary>
/// One process at a time, by a file that is open in the one; the system gives it back when that process ends, however it ends.
/// </summary>
internal static class FileLock
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <param name="path">The file; its folder exists. It stays.</param>
    /// <param name="waiting">Called once, where another process holds the lock.</param>
    /// <returns>Holds the lock until it is disposed of.</returns>
    public static async Task<FileStream> AcquireAsync(string path, Action waiting, CancellationToken cancellation)
    {
        for (bool told = false; ; told = true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (IsHeld(error))
            {
                if (!told)
                    waiting();
                await Task.Delay(s_pause, cancellation);
            }
        }
    }

    // ERROR_SHARING_VIOLATION; on Unix EWOULDBLOCK, which is 11 on Linux and 35 on macOS.
    private static bool IsHeld(IOException error) => OperatingSystem.IsWindows()
        ? (error.HResult & 0xffff) == 32
        : error.HResult == (OperatingSystem.IsMacOS() ? 35 : 11);
}
