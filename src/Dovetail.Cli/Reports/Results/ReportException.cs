using Dovetail.Core;

namespace Dovetail.Cli.Reports.Results;

/// <summary>A result file that cannot be read, or a result that cannot be written.</summary>
public sealed class ReportException : DovetailException
{
    public ReportException(string message) : base(message) { }

    public ReportException(string message, Exception innerException) : base(message, innerException) { }
}
