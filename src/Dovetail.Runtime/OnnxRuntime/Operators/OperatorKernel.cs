using Dovetail.Runtime.OnnxRuntime.Interop;

namespace Dovetail.Runtime.OnnxRuntime.Operators;

/// <summary>One node of a session, prepared.</summary>
internal abstract class OperatorKernel(OrtApi api, string nodeDescription) : IDisposable
{
    public OrtApi Api => api;

    public string NodeDescription => nodeDescription;

    /// <exception cref="Dovetail.Core.DovetailException">The inputs do not fit the node.</exception>
    public abstract void Compute(nint context);

    public virtual void Dispose() { }
}
