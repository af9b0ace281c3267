using Dovetail.Core;

namespace Dovetail.Kernels;

/// <summary>A model that ONNX Runtime or one of the packed operators refuses, or inputs that do not fit it.</summary>
public sealed class OperatorException : DovetailException
{
    public OperatorException(string message) : base(message) { }

    public OperatorException(string message, Exception innerException) : base(message, innerException) { }
}
