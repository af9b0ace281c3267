using System.Net;
using System.Net.Http.Headers;

namespace Dovetail.Data;

/// <summary>
/// Receives one file over HTTP into a partial file, whatever its digest must be.
/// 1. What an earlier attempt left is kept and asked for no more (Range).
/// 2. A connection that breaks, or a server that is busy (5xx, 408, 429), is tried again, from where it stopped;
///    the attempts count afresh whenever bytes have come.
/// 3. A server that ignores the range sends everything again; more than the expected size is refused at once.
/// </summary>
public sealed class ResumableTransfer(HttpClient client)
{
    private const int Attempts = 3;

    /// <summary>How long a server may send nothing before the connection counts as broken.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first pause between two attempts; it doubles.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <param name="part">The partial file; complete when this returns. Its folder exists.</param>
    /// <param name="bytes">The file's size; null where the server alone knows it.</param>
    /// <param name="progress">Called with the bytes that are here and those that are expected, where they are known.</param>
    /// <exception cref="HttpRequestException">The server has not the file, or cannot be reached. What has come stays.</exception>
    /// <exception cref="InvalidDataException">The server's file is longer or shorter than <paramref name="bytes"/>.</exception>
    /// <exception cref="OperationCanceledException">What has come stays.</exception>
    /// <exception cref="IOException">The partial file cannot be written.</exception>
    public async Task ReceiveAsync(
        Uri address, string part, long? bytes, Action<long, long?>? progress = null, CancellationToken cancellation = default)
    {
        for (int attempt = 1; ; attempt++)
        {
            long before = Length(part);
            if (before > bytes)
            {
                File.Delete(part);
                before = 0;
            }

            if (before == bytes)
                return;
            try
            {
                await Receive(address, part, before, bytes, progress, cancellation);
                return;
            }
            catch (Exception error) when (IsTransient(error, cancellation))
            {
                if (Length(part) > before)
                    attempt = 1;
                if (attempt >= Attempts)
                    throw error as HttpRequestException ?? new HttpRequestException(error.Message, error);
                await Task.Delay(Pause * (1 << (attempt - 1)), cancellation);
            }
        }
    }

    private async Task Receive(
        Uri address, string part, long from, long? bytes, Action<long, long?>? progress, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (from > 0)
            request.Headers.Range = new RangeHeaderValue(from, null);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            if (bytes is null && range?.Length == from)
                return; // it was complete
            File.Delete(part);
            throw bytes is null // as after a time limit: try again, from its start
                ? new HttpRequestException("what had come is no part of the server's file", null, HttpStatusCode.RequestTimeout)
                : new InvalidDataException($"{address} is shorter than the {bytes} bytes that were pinned.");
        }

        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException(
                $"the server answered {(int)response.StatusCode} {response.ReasonPhrase}", null, response.StatusCode);
        bool resumed = response.StatusCode == HttpStatusCode.PartialContent && range?.From == from;
        long at = resumed ? from : 0;
        long? expected = bytes ?? (resumed ? range?.Length : response.Content.Headers.ContentLength);
        await using var target = new FileStream(part, resumed ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.None);
        await using Stream source = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[1 << 16];
        for (int read; (read = await ReadNetwork(source, buffer, cancellation)) > 0;)
        {
            at += read;
            if (at > bytes)
                throw new InvalidDataException($"{address} sends more than the {bytes} bytes that were pinned.");
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
            progress?.Invoke(at, expected);
        }

        target.Flush(flushToDisk: true);
        if (at < expected)
            throw new HttpRequestException($"the connection ended after {at} of {expected} bytes");
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
        HttpRequestException { StatusCode: { } status } =>
            (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests,
        HttpRequestException => true,
        OperationCanceledException => !cancellation.IsCancellationRequested, // HttpClient's own time limit
        _ => false,
    };

    private static long Length(string path) => new FileInfo(path) is { Exists: true } info ? info.Length : 0;
}
