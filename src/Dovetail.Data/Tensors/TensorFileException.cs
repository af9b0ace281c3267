using Dovetail.Core;

namespace Dovetail.Data.Tensors;

/// <summary>A file with an input or output that cannot be read, or does not fit the model.</summary>
public sealed class TensorFileException : DovetailException
{
    public TensorFileException(string message) : base(message) { }

    public TensorFileException(string message, Exception inner) : base(message, inner) { }
}
