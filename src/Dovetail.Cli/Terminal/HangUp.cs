using System.Globalization;
using System.Runtime.InteropServices;

namespace Dovetail.Cli.Terminal;

/// <summary>
/// A terminal that is closed ends a command as Ctrl-C does: what is done is saved. Under nohup, which asks that the signal be ignored, it
/// is.
/// </summary>
internal sealed class HangUp : IDisposable
{
    private const string Status = "/proc/self/status";

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration? _registration;

    public HangUp()
    {
        if (!OperatingSystem.IsWindows() && !IsIgnored())
            _registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                _source.Cancel();
            });
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _registration?.Dispose();
        _source.Dispose();
    }

    // the lowest bit of the mask of ignored signals is SIGHUP's
    private static bool IsIgnored()
    {
        try
        {
            string? line = File.Exists(Status)
                ? File.ReadLines(Status).FirstOrDefault(text => text.StartsWith("SigIgn:", StringComparison.Ordinal))
                : null;
            return line is not null
                && ulong.TryParse(line[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong mask)
                && (mask & 1) != 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
