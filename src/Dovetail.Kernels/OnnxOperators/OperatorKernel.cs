using Dovetail.Kernels.OnnxOperators.Interop;

namespace Dovetail.Kernels.OnnxOperators;

/// <summary>One node of a session, prepared.</summary>
internal abstract class OperatorKernel(OrtApi api, string nodeDescription) : IDisposable
{
    public OrtApi Api => api;

    public string NodeDescription => nodeDescription;

    /// <exception cref="Dovetail.Core.DovetailException">The inputs do not fit the node.</exception>
    public abstract void Compute(nint context);

    public virtual void Dispose() { }

    /// <summary>A caller who binds inputs and outputs may give one buffer for both.</summary>
    /// <exception cref="OperatorException">The ranges overlap; where <paramref name="mayCoincide"/>, other than completely.</exception>
    protected static unsafe void CheckApart(string input, void* x, long inputBytes, void* y, long outputBytes, bool mayCoincide = false)
    {
        nint shift = (nint)y - (nint)x;
        bool overlap = shift >= 0 ? shift < inputBytes : -shift < outputBytes;
        if (overlap && inputBytes > 0 && outputBytes > 0 && !(mayCoincide && shift == 0))
            throw new OperatorException($"The output overlaps the input {input}; expected a buffer of its own.");
    }
}
