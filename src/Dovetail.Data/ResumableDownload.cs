using System.Security.Cryptography;

namespace Dovetail.Data;

/// <summary>
/// Fetches one pinned file. Bytes go to NAME.part (<see cref="ResumableTransfer"/>). Complete, the digest is compared, and only
/// then is the file renamed. A wrong one is deleted.
/// </summary>
internal sealed class ResumableDownload(ResumableTransfer transfer)
{
    /// <exception cref="DataException">
    /// The server has not the file, has another one, or cannot be reached. What has come stays in NAME.part.
    /// </exception>
    /// <exception cref="OperationCanceledException">What has come stays in NAME.part.</exception>
    public async Task FetchAsync(
        RemoteFile file, string folder, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        string path = Path.Combine(folder, file.Name), part = path + ".part";
        try
        {
            Directory.CreateDirectory(folder);
            if (await Matches(path, file, cancellation))
                return;
            await transfer.ReceiveAsync(
                file.Address, part, file.Bytes, (at, _) => progress?.Report(new DownloadProgress(file.Name, at, file.Bytes)), cancellation);
            if (!await Matches(part, file, cancellation))
            {
                File.Delete(part);
                throw new DataException(
                    $"{file.Address} is not the file that was pinned: its SHA-256 is not {file.Sha256}. " +
                    "Nothing was installed; try again later or use another source.");
            }

            File.Move(part, path, overwrite: true);
        }
        catch (HttpRequestException error)
        {
            throw new DataException(
                $"{file.Address} cannot be fetched: {error.Message}. What has come so far is kept, so the command may be repeated.", error);
        }
        catch (InvalidDataException error)
        {
            throw new DataException($"{error.Message} Nothing was installed.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be written: {error.Message}", error);
        }
    }

    private static async Task<bool> Matches(string path, RemoteFile file, CancellationToken cancellation)
    {
        if (new FileInfo(path) is not { Exists: true } info || info.Length != file.Bytes)
            return false;
        await using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation)) == file.Sha256;
    }
}
