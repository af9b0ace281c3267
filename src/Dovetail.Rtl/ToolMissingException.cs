using Dovetail.Core;

namespace Dovetail.Rtl;

/// <summary>A tool or library file that is not on this machine: what needs it reports "skipped", and the message says how to install
/// it.</summary>
public sealed class ToolMissingException : DovetailException
{
    public ToolMissingException(string tool, string message) : base(message) => Tool = tool;

    /// <summary>E.g. "verilator".</summary>
    public string Tool { get; }
}
