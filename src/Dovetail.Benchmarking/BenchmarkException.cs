using Dovetail.Core;

namespace Dovetail.Benchmarking;

/// <summary>Something cannot be measured; the message says what was found and what was expected.</summary>
public sealed class BenchmarkException : DovetailException
{
    public BenchmarkException(string message) : base(message) { }

    public BenchmarkException(string message, Exception inner) : base(message, inner) { }
}
