namespace Dovetail.Core.Patterns;

/// <summary>A pattern that cannot be parsed, is out of range, or does not fit the weights it was asked for.</summary>
public sealed class PatternException : DovetailException
{
    public PatternException(string message) : base(message) { }

    public PatternException(string message, Exception innerException) : base(message, innerException) { }
}
