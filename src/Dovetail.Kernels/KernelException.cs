using Dovetail.Core;

namespace Dovetail.Kernels;

/// <summary>A layer that no kernel can run as asked, or buffers that do not fit it.</summary>
public sealed class KernelException : DovetailException
{
    public KernelException(string message) : base(message) { }

    public KernelException(string message, Exception innerException) : base(message, innerException) { }
}
