using Dovetail.Core;

namespace Dovetail.Training.Graph.Operators;

/// <summary>An ONNX graph that cannot be trained here: the message names the node and what it would need.</summary>
public sealed class GraphException : DovetailException
{
    public GraphException(string message) : base(message) { }

    public GraphException(string message, Exception innerException) : base(message, innerException) { }
}
