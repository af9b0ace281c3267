using Dovetail.Core;

namespace Dovetail.Onnx.Model;

/// <summary>A file that is not ONNX, a graph that contradicts itself, or an operator that is not supported here.</summary>
public class OnnxException : DovetailException
{
    public OnnxException(string message) : base(message) { }

    public OnnxException(string message, Exception innerException) : base(message, innerException) { }
}
