using Dovetail.Core;

namespace Dovetail.Rtl;

/// <summary>An array that the generator cannot emit, or a tool that failed on emitted text; the tool's last lines are in the
/// message.</summary>
public sealed class RtlException : DovetailException
{
    public RtlException(string message) : base(message) { }

    public RtlException(string message, Exception innerException) : base(message, innerException) { }
}
