using Dovetail.Core;

namespace Dovetail.Accelerator;

/// <summary>An array that cannot be built, a layer that does not fit it, or a topology or energy file that cannot be read.</summary>
public sealed class AcceleratorException : DovetailException
{
    public AcceleratorException(string message) : base(message) { }

    public AcceleratorException(string message, Exception innerException) : base(message, innerException) { }
}
