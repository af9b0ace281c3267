namespace Dovetail.Cli.Terminal;

/// <summary>
/// Standard output or standard error that may be full, closed, or a pipe that nobody reads any more: what cannot be written is dropped, and
/// the command ends with an error code, quietly.
/// </summary>
internal sealed class GuardedStream(Stream inner) : Stream
{
    private static volatile bool s_failed;

    /// <summary>True after something could not be written.</summary>
    public static bool HasFailed => s_failed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Puts both streams of the console behind a guard.</summary>
    public static void Install()
    {
        Console.SetOut(Writer(Console.OpenStandardOutput(), Console.Out));
        Console.SetError(Writer(Console.OpenStandardError(), Console.Error));
    }

    public override void Flush() => Try(inner.Flush);

    public override void Write(byte[] buffer, int offset, int count) => Try(() => inner.Write(buffer, offset, count));

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static StreamWriter Writer(Stream stream, TextWriter like) => new(new GuardedStream(stream), like.Encoding)
    {
        AutoFlush = true,
    };

    private static void Try(Action write)
    {
        if (s_failed)
            return;
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            s_failed = true;
        }
    }
}
