using Dovetail.Core;

namespace Dovetail.Training.Native;

/// <summary>libtorch or TorchSharp's native library is missing, has an unexpected layout, or cannot be loaded.</summary>
public sealed class NativeLibraryException : DovetailException
{
    public NativeLibraryException(string message) : base(message) { }

    public NativeLibraryException(string message, Exception innerException) : base(message, innerException) { }
}
