namespace Dovetail.Core.Packing;

/// <summary>Weights that do not satisfy the pattern, or packed fields that contradict each other.</summary>
public sealed class PackingException : DovetailException
{
    public PackingException(string message) : base(message) { }

    public PackingException(string message, Exception innerException) : base(message, innerException) { }
}
