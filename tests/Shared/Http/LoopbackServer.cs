using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dovetail.Tests;

/// <summary>An HTTP server on the loopback interface that misbehaves as told: one handler a request.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<Func<long?, Reply>> _replies = new();

    public LoopbackServer()
    {
        _listener.Start();
        _ = Serve();
    }

    /// <param name="Status">e.g. "200 OK".</param>
    /// <param name="Headers">Without Content-Length.</param>
    /// <param name="Body">The bytes that are announced.</param>
    /// <param name="Sent">How many of them are sent before the connection is cut; all by default.</param>
    public sealed record Reply(string Status, string Headers, byte[] Body, int? Sent = null);

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/file");

    /// <summary>The Range start of each request in turn; null where it had none.</summary>
    public ConcurrentQueue<long?> Ranges { get; } = new();

    /// <summary>The credentials of each request in turn; null where it had none.</summary>
    public ConcurrentQueue<string?> Authorizations { get; } = new();

    /// <summary>Replies to the next request; the argument is the range's start.</summary>
    public void Then(Func<long?, Reply> reply) => _replies.Enqueue(reply);

    /// <summary>Replies to the next request with the index of a NuGet feed of version 3, whose packages are here, too.</summary>
    public void ThenIndex()
    {
        string index = $$"""
            {"version": "3.0.0", "resources": [{"@id": "{{new Uri(Address, "/packages/")}}", "@type": "PackageBaseAddress/3.0.0"}]}
            """;
        Then(_ => new Reply("200 OK", "", Encoding.UTF8.GetBytes(index)));
    }

    /// <summary>A well-behaved reply, cut after some bytes if told.</summary>
    public static Func<long?, Reply> Good(byte[] file, int? sent = null) => range => range is { } from
        ? new Reply("206 Partial Content", $"Content-Range: bytes {from}-{file.Length - 1}/{file.Length}\r\n", file[(int)from..], sent)
        : new Reply("200 OK", "", file, sent);

    public void Dispose() => _listener.Dispose();

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                using TcpClient connection = await _listener.AcceptTcpClientAsync();
                await using NetworkStream stream = connection.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                long? range = null;
                string? authorization = null;
                while (await reader.ReadLineAsync() is { Length: > 0 } line)
                {
                    if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
                        range = long.Parse(line["Range: bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
                    if (line.StartsWith("Authorization: ", StringComparison.OrdinalIgnoreCase))
                        authorization = line["Authorization: ".Length..];
                }

                Ranges.Enqueue(range);
                Authorizations.Enqueue(authorization);
                Reply reply = _replies.TryDequeue(out Func<long?, Reply>? next) ? next(range) : new Reply("500 Unexpected", "", []);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 {reply.Status}\r\n{reply.Headers}Content-Length: {reply.Body.Length}\r\nConnection: close\r\n\r\n"));
                await stream.WriteAsync(reply.Body.AsMemory(0, reply.Sent ?? reply.Body.Length));
                if (reply.Sent is null)
                    connection.Client.Shutdown(SocketShutdown.Send);
                else
                    await Task.Delay(50); // let the bytes arrive before the connection breaks
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // disposed
        }
    }
}
