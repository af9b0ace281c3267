using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Dovetail.Data;

/// <summary>
/// Fetches one pinned file.
/// 1. Bytes go to NAME.part. What an earlier attempt left there is kept and asked for no more (Range).
/// 2. A connection that breaks, or a server that is busy (5xx, 408, 429), is tried again, from where it stopped;
///    the attempts count afresh whenever bytes have come.
/// 3. A server that ignores the range sends everything again; more than the pinned size is refused at once.
/// 4. Complete, the digest is compared, and only then is the file renamed. A wrong one is deleted.
/// </summary>
public sealed class ResumableDownload(HttpClient client)
{
    private const int Attempts = 3;

    /// <summary>How long a server may send nothing before the connection counts as broken.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first pause between two attempts; it doubles.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <exception cref="DataException">The server has not the file, has another one, or cannot be reached. What has come stays in NAME.part.</exception>
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
            await FetchPart(file, part, progress, cancellation);
            if (!await Matches(part, file, cancellation))
            {
                File.Delete(part);
                throw new DataException($"{file.Address} is not the file that was pinned: its SHA-256 is not {file.Sha256}. Nothing was installed; try again later or use another source.");
            }

            File.Move(part, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be written: {error.Message}", error);
        }
    }

    private async Task FetchPart(RemoteFile file, string part, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            long before = Length(part);
            if (before > file.Bytes)
            {
                File.Delete(part);
                before = 0;
            }

            if (before == file.Bytes)
                return;
            try
            {
                await Receive(file, part, before, progress, cancellation);
                return;
            }
            catch (Exception error) when (IsTransient(error, cancellation))
            {
                if (Length(part) > before)
                    attempt = 1;
                if (attempt >= Attempts)
                    throw Unreachable(file, error);
                await Task.Delay(Pause * (1 << (attempt - 1)), cancellation);
            }
            catch (HttpRequestException error)
            {
                throw Unreachable(file, error);
            }
        }
    }

    private async Task Receive(RemoteFile file, string part, long from, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, file.Address);
        if (from > 0)
            request.Headers.Range = new RangeHeaderValue(from, null);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            File.Delete(part);
            throw new DataException($"{file.Address} is shorter than the {file.Bytes} bytes that were pinned. Nothing was installed.");
        }

        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"the server answered {(int)response.StatusCode} {response.ReasonPhrase}", null, response.StatusCode);
        bool resumed = response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == from;
        long at = resumed ? from : 0;
        await using var target = new FileStream(part, resumed ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.None);
        await using Stream source = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[1 << 16];
        for (int read; (read = await ReadNetwork(source, buffer, cancellation)) > 0;)
        {
            at += read;
            if (at > file.Bytes)
                throw new DataException($"{file.Address} sends more than the {file.Bytes} bytes that were pinned. Nothing was installed.");
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
            progress?.Report(new DownloadProgress(file.Name, at, file.Bytes));
        }

        target.Flush(flushToDisk: true);
        if (at < file.Bytes)
            throw new HttpRequestException($"the connection ended after {at} of {file.Bytes} bytes");
    }

    // A network stream reports a broken connection as IOException, as a full disk does: told apart here.
    private async Task<int> ReadNetwork(Stream source, byte[] buffer, CancellationToken cancellation)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            return await source.ReadAsync(buffer, patience.Token);
        }
        catch (IOException error)
        {
            throw new HttpRequestException(error.Message, error);
        }
    }

    private static bool IsTransient(Exception error, CancellationToken cancellation) => error switch
    {
        HttpRequestException { StatusCode: { } status } => (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests,
        HttpRequestException => true,
        OperationCanceledException => !cancellation.IsCancellationRequested, // HttpClient's own time limit
        _ => false,
    };

    private static DataException Unreachable(RemoteFile file, Exception error) => new(
        $"{file.Address} cannot be fetched: {error.Message}. What has come so far is kept, so the command may be repeated.", error);

    private static long Length(string path) => new FileInfo(path) is { Exists: true } info ? info.Length : 0;

    private static async Task<bool> Matches(string path, RemoteFile file, CancellationToken cancellation)
    {
        if (Length(path) != file.Bytes)
            return false;
        await using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation)) == file.Sha256;
    }
}
