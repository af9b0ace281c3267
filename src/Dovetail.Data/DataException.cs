using Dovetail.Core;

namespace Dovetail.Data;

/// <summary>A data set that is missing, damaged, or cannot be fetched.</summary>
public sealed class DataException : DovetailException
{
    public DataException(string message) : base(message) { }

    public DataException(string message, Exception innerException) : base(message, innerException) { }
}
